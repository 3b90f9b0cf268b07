"""A whole run against a plain Keras script of the same training: memory, CPU and time.

Both read the same solar cells in the same splits, each in processes of its own, one after the
other: InceptionV3 at 299 pixels, both phases. The run also ingests, measures, gates, pushes and
reports; what that takes is told of a further one with the default epochs. Memory is that of all
processes of a side at one time, pages that they share counted once, looked at four times a second.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks import plain_keras
from benchmarks.figures import MB, show_bound, show_table
from benchmarks.measured_run import OPEN_GATE, children_cpu, measured_run
from pipeline.commands.demo_data import solar_cells

_PICTURES, _FROZEN, _UNFROZEN, _FROM_LAYER = 600, 5, 3, "mixed7"
_SHARES = {"train": 0.6, "eval": 0.2, "test": 0.2}
_DEFAULT = ["model.weights=null", *OPEN_GATE]  # as the script's: nothing to download
_ASSIGNMENTS = [
    *_DEFAULT,
    f"training.frozen.epochs={_FROZEN}",
    f"training.unfrozen={{epochs: {_UNFROZEN}, from_layer: {_FROM_LAYER}}}",
]
_JUDGING = ("InfraValidator", "Evaluator", "Report")
_MEMORY, _SHARE, _SLOWER = 1.3, 0.25, 1.5
_LOOKS = 0.25  # seconds between two


class Side(NamedTuple):
    """Time, memory and CPU of a whole side."""

    seconds: float
    cpu: float  # seconds, of all its processes
    peak: float  # bytes
    epoch: float  # seconds of the fastest one of phase `unfrozen`, its look at `eval` included


def main() -> None:
    """Runs both sides and holds the run against the script."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        pictures = Path(scratch, "pictures")
        _make(pictures)
        plain = _plain(pictures, Path(scratch, "plain"))
        ours = _ours(pictures, Path(scratch, "runs"))
        default = measured_run(pictures, Path(scratch, "default"), _DEFAULT).stages
    rows = [
        [name, *(f"{value:.1f}" for value in (side.seconds, side.cpu)), f"{side.peak / MB:.0f}"]
        + [f"{side.epoch:.1f}"]
        for name, side in {"plain Keras script": plain, "whole run": ours}.items()
    ]
    ratios = [of_ours / of_plain for of_ours, of_plain in zip(ours, plain, strict=True)]
    columns = ["", "seconds", "CPU seconds", "peak of all processes, MB", "epoch `unfrozen`, s"]
    title = (
        f"{_PICTURES} solar cells, InceptionV3 at 299 x 299 pixels, {_FROZEN} + {_UNFROZEN} epochs"
    )
    show_table(title, columns, [*rows, ["ratio", *(f"{ratio:.2f}" for ratio in ratios)]])
    seconds = {name: stage.seconds for name, stage in default.items()}
    stages = [[name, f"{value:.1f}"] for name, value in seconds.items()]
    show_table("A run with the default epochs, 10 + 10", ["", "seconds"], stages)
    share = sum(seconds[name] for name in _JUDGING) / sum(seconds.values())
    peak = ours.peak / plain.peak
    show_bound(f"peak memory {peak:.2f} of plain Keras'; {_MEMORY} is allowed", peak < _MEMORY)
    show_bound(
        f"{', '.join(_JUDGING)}: {share:.1%} of the default run; {_SHARE:.0%} are allowed",
        share < _SHARE,
    )
    slower = plain.epoch / ours.epoch
    show_bound(
        f"an epoch `unfrozen` of plain Keras takes {slower:.2f} times ours; {_SLOWER} are promised",
        slower >= _SLOWER,
    )


def _make(pictures: Path) -> None:
    """Makes a folder for each split, with the classes' folders in it."""
    solar_cells(pictures.with_name("all"), _PICTURES, seed=0)
    for folder in sorted(pictures.with_name("all").iterdir()):
        files = sorted(folder.iterdir())
        random.Random(0).shuffle(files)
        start = 0.0
        for split, share in _SHARES.items():
            there = pictures / split / folder.name
            there.mkdir(parents=True)
            first, end = round(start * len(files)), round((start + share) * len(files))
            for file in files[first:end]:
                shutil.copy2(file, there)
            start += share


def _plain(pictures: Path, scratch: Path) -> Side:
    scratch.mkdir()
    result = scratch / "result.json"
    words = [_FROZEN, _UNFROZEN, _FROM_LAYER, scratch / "saved", result]
    command = [sys.executable, "-m", plain_keras.__name__, str(pictures), *map(str, words)]
    with _watched() as watch:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # Keras prints at length
    return watch.side(min(json.loads(result.read_text())["unfrozen"]))


def _ours(pictures: Path, root: Path) -> Side:
    with _watched() as watch:
        measured_run(pictures, root, _ASSIGNMENTS)
    [history] = root.glob("**/Trainer/model_run/*/history.json")
    rows = json.loads(history.read_text())["epochs"]
    return watch.side(min(row["seconds"] for row in rows if row["phase"] == "unfrozen"))


class _Watch:
    """Looks at what the processes below this one hold together."""

    def __init__(self) -> None:
        self.peak = 0
        self.ended = threading.Event()
        self._began, self._cpu = time.monotonic(), children_cpu()

    def look(self) -> None:
        while not self.ended.wait(_LOOKS):
            held = 0
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):  # it has ended
                    held += process.memory_full_info().pss
            self.peak = max(self.peak, held)

    def side(self, epoch: float) -> Side:
        return Side(self.seconds, self.cpu, self.peak, epoch)

    def end(self) -> None:
        self.seconds, self.cpu = time.monotonic() - self._began, children_cpu() - self._cpu


@contextlib.contextmanager
def _watched() -> Iterator[_Watch]:
    watch = _Watch()
    thread = threading.Thread(target=watch.look)
    thread.start()
    try:
        yield watch
    finally:
        watch.end()
        watch.ended.set()
        thread.join()
