"""Pictures of noise, whose files can't be compressed: their size is known beforehand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("bright", "dark")


def make(folder: Path, count: int, side: int) -> int:
    """Writes `count` PNGs of `side` x `side` pixels, half of each class; returns their bytes."""
    random = np.random.default_rng(0)
    written = 0
    for label in CLASSES:
        (folder / label).mkdir(parents=True)
    for number in range(count):
        label = CLASSES[number % 2]
        pixels = random.integers(0, 256, (side, side, 3), np.uint8)
        pixels[: side // 2] //= 1 if label == "bright" else 4  # distinguishes the classes
        path = folder / label / f"{number:05}.png"
        Image.fromarray(pixels).save(path, compress_level=0)
        written += path.stat().st_size
    return written
