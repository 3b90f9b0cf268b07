"""Runs each preset on solar cells: the one data set that can be had everywhere.

The presets but `solar-cells` are recipes for other pictures, so what counts is that each runs to a
verdict as it stands, and what it costs. A recipe whose published weights can't be fetched is
named with the reason.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from benchmarks.figures import show_table
from benchmarks.measured_run import COMMAND, OPEN_GATE, run_and_cpu, set_words
from pipeline.commands.demo_data import solar_cells
from pipeline.config import presets

_PICTURES = 200


def main() -> None:
    """Runs every preset, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        pictures = Path(scratch, "pictures")
        solar_cells(pictures, _PICTURES, seed=0)
        rows = [_row(name, pictures, Path(scratch, name)) for name in presets()]
    title = f"The presets as they stand on {_PICTURES} solar cells, the gate open"
    show_table(title, ["", "verdict", "test accuracy", "seconds of CPU"], rows)


def _row(name: str, pictures: Path, root: Path) -> list[str]:
    arguments = ["run", "--preset", name, "--data", str(pictures), "--root", str(root), "--json"]
    done, seconds = run_and_cpu([*COMMAND, *arguments, *set_words(OPEN_GATE)])
    result = json.loads(done.stdout.splitlines()[-1])
    if result["error"]:
        return [name, " ".join(result["error"].split())[:120], "", f"{seconds:.0f}"]
    return [name, result["verdict"], f"{result['metrics']['accuracy']:.4f}", f"{seconds:.0f}"]
