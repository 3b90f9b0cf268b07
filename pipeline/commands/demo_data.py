"""The demo's pictures: solar cells, defective or functional, from the package `elpv-dataset`.

2,624 electroluminescence pictures, 300 x 300 grey PNG, CC BY-NC-SA 4.0: Deitsch et al. 2019,
"Automatic classification of defective photovoltaic module cells", arXiv 1807.02894. As there, a
cell counts as defective where the experts' probability of a defect is above one half.
"""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from components.errors import DataError

CLASSES = ("defective", "functional")


class Cell(NamedTuple):
    """One picture of the package."""

    file: Path
    label: str  # one of CLASSES
    kind: str  # "mono" or "poly", the crystal
    defect: float  # the experts' probability of a defect


def solar_cells(folder: Path, total: int, seed: int) -> None:
    """Makes `folder` hold a sample of the package's pictures, one folder per class.

    The sample has the package's shares of classes and of cell types. Files keep their names, bytes
    and times. Where `folder` holds that sample already, nothing is touched; another sample is
    replaced.

    Raises:
      DataError: the package is not installed, has fewer pictures, or `folder` holds other files.
    """
    wanted = {f"{cell.label}/{cell.file.name}": cell.file for cell in _sample(total, seed)}
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    if all(_same(folder / name, file) for name, file in wanted.items()) and found == wanted.keys():
        return
    foreign = sorted(name for name in found if not _is_sample_name(name))
    if foreign:
        raise DataError(
            f"{folder} holds files of others, such as {foreign[0]}; the demo's pictures were not "
            "put there. Name an empty or a new folder."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        pictures = Path(scratch) / folder.name
        for label in CLASSES:
            (pictures / label).mkdir(parents=True)
        for name, file in wanted.items():
            shutil.copy2(file, pictures / name)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(pictures, folder)


def _same(path: Path, original: Path) -> bool:
    return path.is_file() and path.stat().st_size == original.stat().st_size


def _is_sample_name(name: str) -> bool:
    path = Path(name)
    return str(path.parent) in CLASSES and path.match("cell[0-9][0-9][0-9][0-9].png")


def every_cell() -> list[Cell]:
    """Returns all pictures of the package; raises DataError where it is not installed."""
    package = importlib.util.find_spec("elpv_dataset")
    if package is None or package.origin is None:
        raise DataError(
            "The demo's pictures come with the package elpv-dataset, which is not installed: "
            "run `make setup`, or `pip install 'transfer-pipeline[demo]'`."
        )
    data = Path(package.origin).parent / "data"
    rows = [line.split() for line in (data / "labels.csv").read_text().splitlines() if line]
    return [
        Cell(data / name, CLASSES[float(probability) <= 0.5], kind, float(probability))
        for name, probability, kind in rows
    ]


def _sample(total: int, seed: int) -> list[Cell]:
    """Draws `total` cells, from each class and type its share (rounded by largest remainder)."""
    cells = every_cell()
    if not len(CLASSES) <= total <= len(cells):
        raise DataError(
            f"{total} pictures were asked for; elpv-dataset has {len(cells)}. Ask for "
            f"{len(CLASSES)} to {len(cells)}."
        )
    strata: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        strata[cell.label, cell.kind].append(cell)
    shares = {key: total * len(stratum) / len(cells) for key, stratum in strata.items()}
    counts = {key: int(share) for key, share in shares.items()}
    by_remainder = sorted(shares, key=lambda key: (counts[key] - shares[key], key))
    for key in by_remainder[: total - sum(counts.values())]:
        counts[key] += 1
    draw = random.Random(seed)
    return [cell for key in sorted(strata) for cell in draw.sample(strata[key], counts[key])]
