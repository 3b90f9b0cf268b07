"""Peak memory of a whole run at two numbers of pictures of 200 KB, one eight times the other.

The run is one process, as under the command `run`: a component's peak counts what the ones before
it left. Batches and buffers are full at either number.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import noise_pictures
from benchmarks.figures import MB, show_bound, show_table
from benchmarks.measured_run import SMALL_NETWORK, MeasuredRun, measured_run

_COUNTS = (1000, 8000)
_SIDE = 258  # pixels of noise: 200 KB, uncompressed
_ALLOWED = 0.1  # of the bytes that the larger number of pictures has more
_ASSIGNMENTS = [*SMALL_NETWORK, "training.frozen.epochs=1", "training.unfrozen.epochs=1"]


def main() -> None:
    """Runs the pipeline on both numbers of pictures."""
    (few, few_bytes), (many, many_bytes) = (_run(count) for count in _COUNTS)
    rows = [
        [name, f"{stage.peak / MB:.0f}", f"{many.stages[name].peak / MB:.0f}"]
        for name, stage in few.stages.items()
    ]
    rows += [
        ["whole run", f"{few.peak / MB:.0f}", f"{many.peak / MB:.0f}"],
        ["the pictures' files", f"{few_bytes / MB:.0f}", f"{many_bytes / MB:.0f}"],
    ]
    title = "Peak memory in MB, MobileNet at 32 x 32 pixels, 1 + 1 epochs"
    show_table(title, ["", *(f"{count} pictures" for count in _COUNTS)], rows)
    growth, added = many.peak - few.peak, many_bytes - few_bytes
    show_bound(
        f"grown by {growth / MB:.0f} MB for {added / MB:.0f} MB of pictures more, "
        f"{growth / added:.1%}; {_ALLOWED:.0%} are allowed",
        growth < _ALLOWED * added,
    )


def _run(count: int) -> tuple[MeasuredRun, int]:
    """Runs the pipeline on `count` pictures; returns the run and the bytes of their files."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        pictures = Path(scratch, "pictures")
        size = noise_pictures.make(pictures, count, _SIDE)
        return measured_run(pictures, Path(scratch, "runs"), _ASSIGNMENTS), size
