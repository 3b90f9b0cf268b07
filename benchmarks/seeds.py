"""Accuracy on the test split with `training.precision` float32 and half, the machine's own if any.

Two real sets, the pipeline's defaults, three seeds of the training on one split of the pictures:
what differs is the precision, and what seeds do alone is the noise that its effect is held against.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from benchmarks.figures import show_bound, show_table
from benchmarks.measured_run import OPEN_GATE, answer
from benchmarks.picture_sets import digits
from components.model import precision
from pipeline.commands.demo_data import solar_cells

_SEEDS = (1, 2, 3)
_CELLS = 600
_ASSIGNMENTS = ["data.splits={train: 6, eval: 2, test: 2}", *OPEN_GATE]


def main() -> None:
    """Trains each set in both precisions, and holds the difference against the seeds' spread."""
    half = precision.resolve("auto")
    half = "bfloat16" if half == "float32" else half  # slower here, and as accurate as elsewhere
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        sets = {"solar cells": Path(scratch, "cells"), "digits": Path(scratch, "digits")}
        solar_cells(sets["solar cells"], _CELLS, seed=0)
        digits(sets["digits"])
        found = {
            (name, chosen): _accuracies(pictures, chosen)
            for name, pictures in sets.items()
            for chosen in ("float32", half)
        }
    rows = [
        [f"{name}, {chosen}", ", ".join(f"{each:.2f}" for each in some), *map(_decimal, _of(some))]
        for (name, chosen), some in found.items()
    ]
    title = f"InceptionV3 with the defaults, both phases, seeds {', '.join(map(str, _SEEDS))}"
    show_table(title, ["", "accuracy, %", "mean", "deviation"], rows)
    for name in sets:
        _show_noise(name, half, found[name, "float32"], found[name, half])


def _accuracies(pictures: Path, chosen: str) -> list[float]:
    """Returns the accuracy in percent by seed; the runs share a root, and so their features."""
    root = pictures.with_name(f"{pictures.name}-{chosen}")
    return [_accuracy(pictures, root, f"training.precision={chosen}", seed) for seed in _SEEDS]


def _accuracy(pictures: Path, root: Path, assignment: str, seed: int) -> float:
    given = [*_ASSIGNMENTS, assignment, f"training.seed={seed}"]
    found = answer("run", str(pictures), "--root", str(root), assignments=given)
    return 100 * float(found["metrics"]["accuracy"])


def _of(some: list[float]) -> tuple[float, float]:
    return statistics.mean(some), statistics.stdev(some)


def _decimal(value: float) -> str:
    return f"{value:.2f}"


def _show_noise(name: str, half: str, first: list[float], second: list[float]) -> None:
    """Twice the standard error of the means' difference (Welch 1947) is what seeds explain."""
    (mean, deviation), (other, of_other) = _of(first), _of(second)
    error = ((deviation**2 + of_other**2) / len(_SEEDS)) ** 0.5
    text = f"{name}: {half} differs by {other - mean:+.2f} points; seeds explain {2 * error:.2f}"
    show_bound(text, abs(other - mean) <= 2 * error)
