"""Measures the fixed cost of a run: tiny pictures, a tiny network, one epoch each."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import noise_pictures
from benchmarks.figures import show_table
from benchmarks.measured_run import SMALL_NETWORK, MeasuredRun, measured_run

PICTURES, SIDE = 60, 32
ASSIGNMENTS = [*SMALL_NETWORK, "training.frozen.epochs=1", "training.unfrozen.epochs=1"]


def main() -> None:
    """Runs the pipeline twice on one root: as new, and with nothing changed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        pictures, root = Path(scratch, "pictures"), Path(scratch, "runs")
        noise_pictures.make(pictures, PICTURES, SIDE)
        first = measured_run(pictures, root, ASSIGNMENTS)
        again = measured_run(pictures, root, ASSIGNMENTS)
    rows = [
        [name, f"{stage.seconds:.1f}", _seconds(again, name)]
        for name, stage in first.stages.items()
    ]
    total = ["whole process", f"{first.seconds:.1f}", f"{again.seconds:.1f}"]
    title = f"Seconds of a run on {PICTURES} pictures of {SIDE} pixels, MobileNet, 1 + 1 epochs"
    show_table(title, ["", "first run", "same run again"], [*rows, total])


def _seconds(run: MeasuredRun, name: str) -> str:
    stage = run.stages[name]
    return f"{'cached ' if stage.state == 'cached' else ''}{stage.seconds:.1f}"
