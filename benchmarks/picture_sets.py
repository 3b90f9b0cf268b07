"""Real sets of labelled pictures that package registries have, a folder per class.

Solar cells: see `pipeline.commands.demo_data`. Emoji: Google's Noto (Apache-2.0) and Twitter's
Twemoji (CC BY 4.0) from the npm packages `emoji-datasource-*`, whose table has category and
subcategory. Tiles: the photographs and scans in the package scikit-image (BSD, public domain).
Digits: 8 x 8 scans of handwriting in scikit-learn (Alpaydin and Kaynak 1998). None of them is in
this repository; what is fetched stays in the user's cache.
"""

from __future__ import annotations

import collections
import importlib.util
import json
import os
import random
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from components.errors import DataError
from components.files.cache_folder import cache_dir
from pipeline.commands import demo_data

_EMOJI_VERSION = "16.0.0"
_SCANS = {
    "brick": "brick.png",
    "cell": "cell.png",
    "fundus": "retina.jpg",
    "galaxies": "hubble_deep_field.jpg",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "moon": "moon.png",
    "page": "page.png",
    "text": "text.png",
    "tissue": "ihc.png",
}
_TILE, _TILES = 40, 90  # pixels of a side; per scan, at most


def solar_cells(folder: Path) -> None:
    """Makes a folder of 1,000 solar cells in 2 classes, 300 x 300 grey."""
    demo_data.solar_cells(folder, 1000, seed=0)


def emoji_kinds(folder: Path) -> None:
    """Makes a folder of Noto emoji in some 50 subcategories, 12 to 18 of each, 64 x 64."""
    _emoji("google", "subcategory", folder, least=12, most=18, side=64)


def icons(folder: Path) -> None:
    """Makes a folder of Twemoji in 9 categories, at most 110 of each, made 24 x 24."""
    _emoji("twitter", "category", folder, least=60, most=110, side=24)


def tiles_of_scans(folder: Path) -> None:
    """Makes a folder of grey tiles, 40 x 40, of 10 scans: each scan is a class.

    Tiles do not overlap, and are stretched from black to white so that brightness does not tell
    the class.

    Raises:
      DataError: scikit-image is not installed.
    """
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        raise DataError(
            "The tiles are cut from pictures in the package scikit-image, which is not installed: "
            "`uv pip install scikit-image`."
        )
    for label, name in _SCANS.items():
        with Image.open(Path(package.origin).parent / "data" / name) as scan:
            grey = scan.convert("L")
        for number, tile in enumerate(_tiles(grey)):
            _save(tile, folder, label, number)


def digits(folder: Path) -> None:
    """Makes a folder of 600 handwritten digits in 10 classes, 8 x 8 grey."""
    found = load_digits()
    for number in range(600):
        pixels = (found.images[number] * 255 / 16).astype("uint8")
        _save(Image.fromarray(pixels), folder, str(found.target[number]), number)


SETS: dict[str, Callable[[Path], None]] = {
    "solar cells": solar_cells,
    "emoji by kind": emoji_kinds,
    "small icons": icons,
    "tiles of scans": tiles_of_scans,
    "digits": digits,
}


def picture_set(name: str) -> Path:
    """Returns the folder of a set, which is made the first time."""
    folder = cache_dir() / "benchmarks" / "sets" / name.replace(" ", "-")
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            SETS[name](Path(scratch, "made"))
            os.replace(Path(scratch, "made"), folder)
    return folder


def _emoji(vendor: str, key: str, folder: Path, *, least: int, most: int, side: int) -> None:
    """Writes up to `most` emoji of each class that has `least`; a class is a value of `key`."""
    with tempfile.TemporaryDirectory() as scratch:
        package = _npm_package(f"emoji-datasource-{vendor}@{_EMOJI_VERSION}", Path(scratch))
        files = collections.defaultdict(list)
        for row in json.loads((package / "emoji.json").read_text("utf-8")):
            picture = package / "img" / vendor / "64" / row["image"]
            if row[f"has_img_{vendor}"] and picture.exists():
                files[row[key]].append(picture)
        drawn = random.Random(0)
        for label, pictures in sorted(files.items()):
            if len(pictures) < least:
                continue
            for picture in drawn.sample(sorted(pictures), min(most, len(pictures))):
                with Image.open(picture) as opened:
                    made = opened.convert("RGBA").resize((side, side), Image.Resampling.BOX)
                _save(made, folder, label.replace("/", "-"), picture.stem)


def _npm_package(name: str, folder: Path) -> Path:
    """Fetches a package with npm and returns the folder of its table and small pictures.

    Raises:
      DataError: npm is not installed, or could not fetch it.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise DataError(f"The pictures come with the npm package {name}; install npm.")
    command = [npm, "pack", name, "--ignore-scripts", "--silent"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    tarballs = list(folder.glob("*.tgz"))
    if done.returncode or not tarballs:
        raise DataError(f"npm could not fetch {name}: {' '.join(done.stderr.split())[-300:]}")
    with tarfile.open(tarballs[0]) as archive:
        members = archive.getmembers()
        archive.extractall(folder, [each for each in members if "sheets" not in each.name])
    return folder / "package"


def _tiles(grey: Image.Image) -> Iterable[Image.Image]:
    """Returns tiles that lie side by side; those of one value are left out."""
    corners = [
        (left, top)
        for top in range(0, grey.height - _TILE + 1, _TILE)
        for left in range(0, grey.width - _TILE + 1, _TILE)
    ]
    random.Random(0).shuffle(corners)
    values = np.asarray(grey, np.float32)
    cut = (values[top : top + _TILE, left : left + _TILE] for left, top in corners)
    varied = [tile for tile in cut if np.ptp(tile) > 8]
    return [_stretched(tile) for tile in varied[:_TILES]]


def _stretched(tile: np.ndarray) -> Image.Image:
    stretched = 255 * (tile - tile.min()) / np.ptp(tile)
    return Image.fromarray(np.rint(stretched).astype(np.uint8))


def _save(picture: Image.Image, folder: Path, label: str, name: object) -> None:
    (folder / label).mkdir(parents=True, exist_ok=True)
    picture.save(folder / label / f"{name}.png")
