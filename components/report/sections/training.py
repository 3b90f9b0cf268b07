"""The curves of both phases."""

from __future__ import annotations

import shlex
from typing import Any

from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from components.report.page_data import Run, Section
from components.report.plots import BLUE, INK, MUTED, ORANGE, dress, to_svg
from components.report.sections.training_advice import advice, on_features
from components.report.thumbnails import thumbnail

_SIZE = (4.5, 2.6)  # inches
_SHEET_SIDE = 1000  # pixels


def _values(run: Run) -> dict[str, Any]:
    epochs, best = run.history["epochs"], run.history["best"]
    return {
        "logs": shlex.quote(run.logs),
        "augmented": run.augmented and thumbnail(run.augmented, _SHEET_SIDE),
        "phases": _phases(run.history),
        "best": best,
        "precision": run.history.get("precision", ""),
        "advice": [*advice(run.history), *on_features(run.dead_features)],
        "figures": {name: curves(epochs, best, name) for name in ("accuracy", "loss")},
    }


def _phases(history: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns a row per phase, with the metrics of its best epoch and what that gained."""
    return [
        _phase(name, [row for row in history["epochs"] if row["phase"] == name], best)
        for name, best in history["phases"].items()
    ]


def _phase(name: str, rows: list[dict[str, Any]], best: dict[str, float]) -> dict[str, Any]:
    rates = [row["learning_rate"] for row in rows]
    return {
        "name": name,
        "epochs": len(rows),
        "first_rate": rates[0],
        "last_rate": rates[-1],
        "accuracy": best["val_accuracy"],
        "loss": best["val_loss"],
        "gain": best.get("accuracy_gained"),
        "seconds": sum(row["seconds"] for row in rows),
    }


def curves(epochs: list[dict[str, Any]], best: dict[str, Any] | None, measure: str) -> Markup:
    """Draws a measure on `train` and `eval` over the epochs of all phases.

    Args:
      epochs: the rows of history.json.
      best: the one whose weights were exported, or None.
      measure: `accuracy` or `loss`.
    """
    figure = Figure(_SIZE)
    axes = figure.add_subplot()
    numbers = range(1, len(epochs) + 1)
    evaluated = [row[f"val_{measure}"] for row in epochs]
    dot = "o" if len(epochs) == 1 else ""
    axes.plot(numbers, [row[measure] for row in epochs], ls="--", lw=1.4, color=ORANGE, marker=dot)
    axes.plot(numbers, evaluated, lw=2, color=BLUE, marker=dot)
    if measure == "accuracy":
        axes.set_ylim(min(0.5, axes.get_ylim()[0]), 1.02)
    else:
        axes.set_ylim(0, 1.05 * axes.get_ylim()[1])
    _mark_phases(axes, [row["phase"] for row in epochs])
    if best in epochs:
        at = epochs.index(best)
        axes.plot(at + 1, evaluated[at], "o", ms=8, mfc="none", mec=INK, mew=1.5, clip_on=False)
    axes.set_xlabel("epoch", color=MUTED, size=10)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    dress(axes)
    return to_svg(figure, _alt(epochs, best, measure), stretch=1.5)


def _mark_phases(axes: Any, phases: list[str]) -> None:
    """Names each phase above its epochs, with a line where one hands over to the next."""
    top = axes.get_xaxis_transform()  # x in epochs, y from 0 (bottom) to 1 (top)
    for name in dict.fromkeys(phases):
        first = phases.index(name) + 1
        middle = first + (phases.count(name) - 1) / 2
        axes.text(middle, 1.03, name, transform=top, ha="center", color=MUTED, size=10)
        if first > 1:
            axes.axvline(first - 0.5, color=MUTED, lw=1, ls=(0, (2, 3)))


def _alt(epochs: list[dict[str, Any]], best: dict[str, Any] | None, measure: str) -> str:
    last = epochs[-1]
    text = (
        f"{measure} over {len(epochs)} epochs; at the end {last[measure]:.3f} on train and "
        f"{last[f'val_{measure}']:.3f} on eval"
    )
    if best is None:
        return text
    name = f"epoch {best['epoch']} of phase {best['phase']}"
    return f"{text}; best is {name} with {best[f'val_{measure}']:.3f} on eval"


SECTION = Section("training", "Training", _values, needs=("history",))
