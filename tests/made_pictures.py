"""Pictures made on the spot, of classes that a small random network can tell apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"blue": (40, 60, 200), "green": (50, 190, 60), "red": (200, 50, 40)}


def make(folder: Path, per_class: int, seed: int = 0, side: int = 40) -> Path:
    """Writes `folder/<colour>/<n>.png`: noise around a colour, another for each picture."""
    random = np.random.default_rng(seed)
    for label, colour in COLOURS.items():
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            noise = random.normal(0, 12, (side, side + number % 7, 3))
            pixels = np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / label / f"{number:03}.png")
    return folder


def shuffle_labels(folder: Path, seed: int = 0) -> None:
    """Deals the pictures out to the class folders at random."""
    random = np.random.default_rng(seed)
    files = sorted(folder.glob("*/*.png"))
    labels = [path.parent.name for path in files]
    for number, (path, label) in enumerate(zip(files, random.permutation(labels), strict=True)):
        path.rename(folder / f"{number}-{label}.png")
    for path in folder.glob("*.png"):
        place, label = path.stem.split("-")
        path.rename(folder / label / f"shuffled-{place}.png")
