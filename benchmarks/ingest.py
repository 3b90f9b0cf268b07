"""Pictures per second of the ingest against a plain loop of Pillow's over the same files.

The loop opens, fully decodes and hashes each file in one process. The ingest is the component
ImageExampleGen as the pipeline runs it, from listing to the written report: with one worker, the
default, which decodes photographs on all cores, and with two, threads or processes, whose start (a
Python with Beam and TensorFlow each) is counted.
"""

from __future__ import annotations

import hashlib
import io
import os
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.figures import show_bound, show_table
from components.settings.runtime import Runtime
from pipeline import local_runner
from pipeline.commands import run as run_command
from pipeline.commands.console import quiet
from pipeline.store import root

_NODE = "ImageExampleGen"
_SELF, _CHILDREN = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
_ROUNDS = 2  # the best counts: other programs can only slow one down
_DISTINCT = 40  # pictures that are drawn; each file is one of them with bytes of its own
_ONE_WORKER, _TWO_WORKERS = 0.7, 1.2  # times the plain loop's pictures per second

_BEAM = {
    "one worker": Runtime().beam,
    **{
        f"two workers, {name}": [
            "--runner=FnApiRunner",
            f"--direct_running_mode=multi_{mode}",
            "--direct_num_workers=2",
        ]
        for name, mode in (("threads", "threading"), ("processes", "processing"))
    },
}


class Cost(NamedTuple):
    """The cost of one side."""

    seconds: float
    cpu_seconds: float  # of all its processes: unlike the former, blind to the machine's load


class _Stopwatch:
    """Measures the cost of one component."""

    def node_started(self, node_id: str, position: int, total: int) -> None:
        self._began = _spent()

    def node_ended(self, node_id: str, state: str, seconds: float) -> None:
        self.found = _since(self._began)


def _spent() -> Cost:
    own, children = (resource.getrusage(who) for who in (_SELF, _CHILDREN))
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return Cost(time.monotonic(), cpu)


def _since(began: Cost) -> Cost:
    now = _spent()
    return Cost(now.seconds - began.seconds, now.cpu_seconds - began.cpu_seconds)


def main() -> None:
    """Measures photographs, for which the bounds are stated, and small drawings beside them."""
    photographs = _measure("JPEGs of 1024 x 768 pixels", 6000, _photograph)
    _measure("PNGs of 64 x 64 pixels", 8000, _drawing)
    plain = photographs.pop("plain loop")
    for name, cost in photographs.items():
        bound = _ONE_WORKER if name == "one worker" else _TWO_WORKERS
        times = plain.seconds / cost.seconds
        show_bound(
            f"{name}: {times:.2f} times the plain loop's; {bound} is promised", times >= bound
        )


def _measure(
    what: str, count: int, draw: Callable[[np.random.Generator], bytes]
) -> dict[str, Cost]:
    """Returns and prints the cost of each side, the best of some rounds."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        pictures = Path(scratch, "pictures")
        size = _make(pictures, count, draw)
        sides: dict[str, Callable[[], Cost]] = {"plain loop": partial(_plain, pictures)}
        for name, beam in _BEAM.items():
            sides[name] = partial(_ingest, pictures, beam)
        rounds = [{name: side() for name, side in sides.items()} for _ in range(_ROUNDS)]
    best = {name: min(costs[name] for costs in rounds) for name in sides}
    plain = best["plain loop"]
    rows = [
        [
            name,
            f"{count / cost.seconds:,.0f}",
            f"{plain.seconds / cost.seconds:.2f}",
            f"{1000 * cost.cpu_seconds / count:.2f}",
        ]
        for name, cost in best.items()
    ]
    title = f"{count} {what}, {size / count / 1000:.0f} kB each (load {os.getloadavg()[0]:.1f})"
    columns = ["", "pictures per second", "times the plain loop", "ms of CPU per picture"]
    show_table(title, columns, rows)
    return best


def _plain(pictures: Path) -> Cost:
    began = _spent()
    for path in pictures.glob("*/*"):
        content = path.read_bytes()
        Image.open(io.BytesIO(content)).load()
        hashlib.sha256(content).hexdigest()
    return _since(began)


def _ingest(pictures: Path, beam: list[str]) -> Cost:
    """Runs the component anew and returns its cost."""
    with tempfile.TemporaryDirectory(dir=pictures.parent) as folder:
        request = run_command.Request(
            data=str(pictures), root=folder, assignments=[f"runtime.beam={beam}"]
        )
        stopwatch = _Stopwatch()
        with quiet(Path(folder, "log"), to_stderr=True):
            config = run_command.build_config(request)
            local_runner.run(config, stopwatch, root.new_run_id(), _NODE, _NODE)
    return stopwatch.found


def _make(folder: Path, count: int, draw: Callable[[np.random.Generator], bytes]) -> int:
    """Writes `folder/<class>/<file>`, no two alike, and returns the sum of their bytes."""
    random = np.random.default_rng(0)
    drawn = [draw(random) for _ in range(_DISTINCT)]
    for label in ("one", "other"):
        (folder / label).mkdir(parents=True)
    written = 0
    for number in range(count):
        # Behind a picture's end, where no decoder looks.
        content = drawn[number % _DISTINCT] + os.urandom(8)
        written += (
            (folder / ("one", "other")[number % 2] / f"{number:06}")
            .with_suffix(".jpg" if content.startswith(b"\xff\xd8") else ".png")
            .write_bytes(content)
        )
    return written


def _photograph(random: np.random.Generator) -> bytes:
    """A JPEG of some 200 kB: smooth shapes and a camera's noise."""
    shapes = Image.fromarray(random.integers(0, 256, (12, 16, 3), np.uint8))
    pixels = np.asarray(shapes.resize((1024, 768), Image.Resampling.BICUBIC)).astype(float)
    pixels += random.normal(0, 9, (768, 1024, 1))
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=82)
    return file.getvalue()


def _drawing(random: np.random.Generator) -> bytes:
    """A PNG of some 7 kB."""
    shapes = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
    file = io.BytesIO()
    shapes.resize((64, 64), Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()
