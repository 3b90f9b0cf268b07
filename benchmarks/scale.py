"""CPU and memory of every node at several numbers of pictures, and of made rows without pictures.

`python -m benchmarks.scale 1000 10000 100000` measures at these numbers of pictures, which
`python -m benchmarks scale` has fewer of: the last takes seven minutes. Behind `--rows` come
other numbers of made rows; at small ones, as 200 1000 --rows 1000 10000, no bound means anything.

A run is one process, as under the command `run`: a node's peak counts what the ones before it left.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import made_rows, noise_pictures
from benchmarks.figures import MB, recorded, show_bound, show_table
from benchmarks.measured_run import SMALL_NETWORK, measured_run

PICTURES = (1_000, 10_000)
ROWS = (10_000, 100_000, 1_000_000)
FAR = 10_000_000
_SIDE = 32  # pixels
_CPU_GROWS, _PEAK_GROWS = 1.2, 1.15  # allowed, from the first to the last and over the last step
_MOST = 1_500 * MB  # of memory for the most rows
_ASSIGNMENTS = [
    *SMALL_NETWORK,
    "training.frozen.epochs=1",
    "training.unfrozen.epochs=1",
    "training.unfrozen.from_layer=conv_pw_13",
]


class Cost(NamedTuple):
    """Time and memory of a node, or of a part of one."""

    cpu: float  # seconds
    peak: float  # bytes


Costs = dict[str, dict[int, Cost]]  # by name and number


def main(pictures: Sequence[int] = PICTURES, rows: Sequence[int] = ROWS) -> None:
    """Measures, shows the tables and holds the figures against the bounds."""
    runs = {count: _run(count) for count in pictures}
    nodes: Costs = {
        name: {count: of[name] for count, of in runs.items() if name in of}
        for name in runs[pictures[0]]
    }
    title = f"Nodes on PNGs of {_SIDE} x {_SIDE} pixels, MobileNet at 32 x 32, 1 + 1 epochs"
    _show(title, nodes, pictures, "pictures")
    _show_bounds(nodes, pictures)
    parts: Costs = {part: {count: _part(part, count) for count in rows} for part in made_rows.PARTS}
    _show("Made rows without pictures, ten classes, a process each", parts, rows, "rows")
    highest = max(of[rows[-1]].peak for of in parts.values())
    show_bound(
        f"{rows[-1]:,} rows: at most {highest / MB:,.0f} MB; {_MOST / MB:,.0f} are allowed",
        highest < _MOST,
    )
    _show_far({**nodes, **parts})


def _run(count: int) -> dict[str, Cost]:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        pictures = Path(scratch, "pictures")
        noise_pictures.make(pictures, count, _SIDE)
        stages = measured_run(pictures, Path(scratch, "runs"), _ASSIGNMENTS).stages
    return {name: Cost(stage.cpu, stage.peak) for name, stage in stages.items()}


def _part(part: str, rows: int) -> Cost:
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        result = Path(scratch, "result.json")
        words = [part, str(rows), scratch, str(result)]
        subprocess.run([sys.executable, "-m", made_rows.__name__, *words], check=True)
        return Cost(**json.loads(result.read_text()))


def _show(title: str, costs: Costs, counts: Sequence[int], unit: str) -> None:
    columns = [f"CPU, {count:,}" for count in counts] + [f"peak, {count:,}" for count in counts]
    rows = [
        [
            name,
            *(f"{1000 * of[count].cpu / count:.2f}" if count in of else "" for count in counts),
            *(f"{of[count].peak / MB:.0f}" if count in of else "" for count in counts),
        ]
        for name, of in costs.items()
    ]
    show_table(f"{title}: ms of CPU for each of the {unit}, peak in MB", ["", *columns], rows)


def _show_bounds(nodes: Costs, counts: Sequence[int]) -> None:
    first, before, last = counts[0], counts[-2], counts[-1]
    grown = {
        name: (of[last].cpu / last) / max(of[first].cpu / first, 1e-9)
        for name, of in nodes.items()
        if of[last].cpu >= 1  # second: below it nothing is measured but noise
    }
    name = max(grown, key=lambda name: grown[name])
    show_bound(
        f"CPU per picture from {first:,} to {last:,} pictures: at most {grown[name]:.2f} times "
        f"({name}); {_CPU_GROWS} are allowed",
        grown[name] <= _CPU_GROWS,
    )
    peaks = {name: of[last].peak / of[before].peak for name, of in nodes.items()}
    name = max(peaks, key=lambda name: peaks[name])
    show_bound(
        f"peak memory from {before:,} to {last:,} pictures: at most {peaks[name]:.2f} times "
        f"({name}); {_PEAK_GROWS} are allowed",
        peaks[name] <= _PEAK_GROWS,
    )


def _show_far(costs: Mapping[str, dict[int, Cost]]) -> None:
    """Shows what each would take of ten million, by the last two numbers that were measured."""
    rows = []
    for name, of in costs.items():
        (few, less), (many, more) = list(of.items())[-2:]
        each = max(0.0, more.cpu - less.cpu) / (many - few)
        grows = max(0.0, more.peak - less.peak) / (many - few)
        rows.append(
            [
                name,
                f"{each * FAR / 3600:,.1f}",
                f"{grows:,.0f}",
                f"{(more.peak + grows * (FAR - many)) / MB:,.0f}",
            ]
        )
    title = f"Ten million, along the line through the last two numbers of each ({FAR:,})"
    show_table(title, ["", "hours of CPU", "bytes of peak for each", "peak in MB"], rows)


if __name__ == "__main__":
    _parser = argparse.ArgumentParser()
    _parser.add_argument("pictures", type=int, nargs="*", default=PICTURES)
    _parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    _given = _parser.parse_args()
    with recorded("scale"):
        main(_given.pictures, _given.rows)
