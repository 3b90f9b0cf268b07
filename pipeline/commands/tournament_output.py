"""The output of the command `tournament`: a table, what it could not measure, a plot."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from serving.names import shown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = dict[str, Any]


def write(rows: Sequence[Row], measured: Sequence[Row], folder: Path) -> dict[str, str]:
    """Writes the rows and a plot of the measured ones; returns the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    plot, values = folder / "accuracy.svg", folder / "rows.json"
    draw(measured).savefig(plot)
    values.write_text(json.dumps(rows, indent=1), "utf-8")
    return {"plot": str(plot), "figures": str(values)}


def draw(rows: Sequence[Row]) -> Figure:
    """Draws the accuracy, with its interval, over the milliseconds of one picture."""
    from matplotlib.figure import Figure

    figure = Figure((7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for row in rows:
        low, high = row["interval"]
        at, accuracy = row["milliseconds"], row["accuracy"]
        axes.errorbar(at, accuracy, [[accuracy - low], [high - accuracy]], fmt="o", capsize=3)
        label = Path(row["backbone"]).name  # a preset of KerasHub by its folder
        axes.annotate(
            label, (at, accuracy), (6, 4), textcoords="offset points", size=9, parse_math=False
        )
    axes.set_xscale("log")
    axes.set(xlabel="milliseconds per picture", ylabel="accuracy on eval (95 % interval)")
    return figure


def show(found: dict[str, Any], console: Console, command: Sequence[str]) -> None:
    """Shows the rows, and how to go on with the best one.

    Args:
      found: what `--json` prints.
      console: is printed on; wraps no line, since people copy paths and the command.
      command: runs the pipeline with the best backbone.
    """
    table = Table("accuracy on eval", "95 % interval", "ms/picture", "MB")
    table.add_column("backbone", overflow="fold")  # folders differ at their ends
    for row in found["backbones"]:
        if "error" not in row:
            table.add_row(*_numbers(row), escape(shown(row["backbone"])))
    if table.rows:
        console.print(table)
    for row in found["backbones"]:
        if "error" in row:
            fault = " ".join(f"{row['backbone']}: {row['error']}".split())
            console.print(escape(f"Not measured    {shown(fault)}"))
    if table.rows:
        console.print(escape(f"Plot            {shown(found['plot'])}"))
        console.print(escape(f"Go on           {shown(shlex.join(command))}"))


def _numbers(row: Row) -> tuple[str, ...]:
    low, high = (f"{100 * bound:.1f}" for bound in row["interval"])
    return (
        f"{100 * row['accuracy']:.1f} %",
        f"{low} to {high}",
        f"{row['milliseconds']:.1f}",
        f"{row['megabytes']:.0f}",
    )
