"""Measures what a node costs beside its work, where a scheduler starts a process for each."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import noise_pictures
from benchmarks.figures import show_bound, show_table
from benchmarks.measured_node import MeasuredNode, measured_node
from benchmarks.measured_run import SMALL_NETWORK

_PICTURES = 60
_SIDE = 32
_ALLOWED = 3.0  # seconds of a node beside its work and its imports
_ASSIGNMENTS = [*SMALL_NETWORK, "training.frozen.epochs=1", "training.unfrozen.epochs=1"]
_COMMAND = [sys.executable, "-c", "from pipeline.cli import main; main()"]


def main() -> None:
    """Runs every node of a pipeline in a process of its own, as new and as cached."""
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        compiled = _compiled(Path(scratch))
        nodes = json.loads(compiled.read_text())["nodes"]
        names = [node["pipelineNode"]["nodeInfo"]["id"] for node in nodes]
        first, again = (
            {name: measured_node(compiled, name, run_id) for name in names}
            for run_id in ("first", "again")
        )
    show_table(
        f"Seconds of a node on {_PICTURES} pictures of {_SIDE} pixels, MobileNet, SQLite",
        ["", "imports", "its own", "work", "rest", "rest, 2nd run"],
        (_row(name, first[name], again[name]) for name in names),
    )
    most = max(_overheads(first, again))
    show_bound(
        f"a node takes up to {most:.1f} s beside its work and its imports; {_ALLOWED:.0f} s are "
        "allowed",
        most < _ALLOWED,
    )


def _compiled(scratch: Path) -> Path:
    pictures, config = scratch / "pictures", scratch / "config.yaml"
    noise_pictures.make(pictures, _PICTURES, _SIDE)
    places = {
        "data": {"source": str(pictures)},
        "push": {"directory": str(scratch / "served")},
        "runtime": {"root": str(scratch / "runs")},
    }
    config.write_text(json.dumps(places))  # which is YAML, too
    compiled = scratch / "compiled.json"
    arguments = ["--config", str(config), "--target", "tfx", "--output", str(compiled)]
    overridden = [argument for assignment in _ASSIGNMENTS for argument in ("--set", assignment)]
    subprocess.run([*_COMMAND, "compile", *arguments, *overridden], check=True)
    return compiled


def _row(name: str, first: MeasuredNode, again: MeasuredNode) -> list[str]:
    seconds = (first.imports, first.own_imports, first.work, first.overhead, again.overhead)
    *others, last = (f"{each:.1f}" for each in seconds)
    return [name, *others, f"{'cached ' if again.state == 'cached' else ''}{last}"]


def _overheads(*runs: dict[str, MeasuredNode]) -> Iterator[float]:
    return (node.overhead for run in runs for node in run.values())
