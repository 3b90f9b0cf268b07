"""Both lines of TFX side by side: the same sources, in turns, on the same machine.

The other line's environment is that of `tools/other_line.py`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.figures import say, show_table
from benchmarks.line_figures import MARK

_ROUNDS = 2
_CHECKOUT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Measures both lines in turns, and shows the median of each with their ratio."""
    commands = {
        "own": ["make", "line-figures"],
        "other": [sys.executable, "tools/other_line.py", "line-figures"],
    }
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in commands}
    for turn in range(_ROUNDS):
        for side, command in commands.items():
            say(f"round {turn + 1}, {side} line")
            found[side].append(_measured(command))
    newer, older = sorted(found.values(), key=_version, reverse=True)
    rows = []
    for name in newer[0]["figures"]:
        ours, theirs = (
            statistics.median(line["figures"][name] for line in side) for side in (newer, older)
        )
        rows.append([name, f"{ours:.4g}", f"{theirs:.4g}", f"{ours / theirs:.2f}"])
    columns = [
        "",
        *(f"TFX {side[0]['tfx']}, Python {side[0]['python']}" for side in (newer, older)),
    ]
    show_table(f"Both lines, medians of {_ROUNDS} rounds in turns", [*columns, "ratio"], rows)


def _version(side: list[dict[str, Any]]) -> tuple[int, ...]:
    return tuple(map(int, side[0]["tfx"].split(".")))


def _measured(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, cwd=_CHECKOUT, stdout=subprocess.PIPE, text=True, check=True)
    [line] = [line for line in done.stdout.splitlines() if line.startswith(MARK)]
    figures: dict[str, Any] = json.loads(line.removeprefix(MARK))
    return figures
