"""Which classes are taken for which."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from components.report.page_data import Run, Section
from components.report.plots import BLUE, INK, LINE, MUTED, ORANGE, short, to_svg

_DRAWN_CLASSES = 30  # of more, the most confused pairs are listed instead
_PAIRS = 30


def _values(run: Run) -> dict[str, Any]:
    if len(run.classes) <= _DRAWN_CLASSES:
        return {"figure": matrix(run.confusion, run.classes), "pairs": None}
    return {"figure": None, "pairs": confused_pairs(run.confusion, run.classes)}


def confused_pairs(confusion: np.ndarray, classes: list[str]) -> list[dict[str, Any]]:
    """Returns the pairs of classes most often confused: `label`, `predicted`, `count` and `of`.

    `of` is the number of test pictures of the true class.
    """
    wrong = confusion.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_PAIRS]
    pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [
        {
            "label": classes[label],
            "predicted": classes[predicted],
            "count": int(wrong[label, predicted]),
            "of": int(confusion[label].sum()),
        }
        for label, predicted in pairs
        if wrong[label, predicted]
    ]


def matrix(confusion: np.ndarray, classes: list[str]) -> Markup:
    """Draws counts and rates (of the true class), as [classes, classes] true by predicted."""
    count = len(classes)
    side = float(np.interp(count, [2, 6, 12, _DRAWN_CLASSES], [1.1, 0.66, 0.5, 0.38]))  # inches
    size = 10 * side + 5  # points
    figure = Figure((count * side, count * side))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, count), ylim=(count, 0))
    totals = confusion.sum(axis=1)
    for label, predicted in np.ndindex(confusion.shape):
        found, right = int(confusion[label, predicted]), label == predicted
        rate = found / totals[label] if found else 0.0
        _tint(axes, predicted, label, rate, BLUE if right else ORANGE)
        if found or right:
            _write(axes, predicted, label, found, rate, size)
    _name_classes(axes, [short(name) for name in classes], side, min(size, 11))
    return to_svg(figure, _alt(confusion), stretch=1.25)


def _tint(axes: Any, x: int, y: int, rate: float, colour: str) -> None:
    place, side = (x + 0.02, y + 0.02), 0.96
    axes.add_patch(Rectangle(place, side, side, fc=LINE, ec="none", alpha=0.35))
    if rate:
        alpha = 0.15 + 0.65 * rate  # even one picture shows, and text stays readable on all
        axes.add_patch(Rectangle(place, side, side, fc=colour, ec="none", alpha=alpha))


def _write(axes: Any, x: int, y: int, found: int, rate: float, size: float) -> None:
    centre, middle = x + 0.5, y + 0.5
    axes.text(centre, middle, f"{found}", ha="center", va="bottom", size=size, color=INK)
    share, small = f"{100 * rate:.0f} %", 0.75 * size
    axes.text(centre, middle + 0.06, share, ha="center", va="top", size=small, color=INK)


def _name_classes(axes: Any, names: list[str], side: float, size: float) -> None:
    places = np.arange(len(names)) + 0.5
    level = max(map(len, names)) * 6 < 72 * side  # a letter takes some 6 points
    axes.set_xticks(places, names, rotation=0 if level else 45, ha="center" if level else "right")
    axes.set_yticks(places, names)
    for text in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        # A name comes from outside: a `$` in it starts no formula.
        text.set(color=INK, size=size, rotation_mode="anchor", parse_math=False)
    axes.set_xlabel("predicted", color=MUTED, size=10, labelpad=8)
    axes.set_ylabel("true", color=MUTED, size=10, labelpad=8)
    axes.tick_params(length=0, pad=6)
    axes.spines[:].set_visible(False)


def _alt(confusion: np.ndarray) -> str:
    right, total = int(confusion.trace()), int(confusion.sum())
    return (
        f"Confusion matrix of {len(confusion)} classes: {right} of {total} test pictures lie on "
        "the diagonal. The table by class gives the same counts in words."
    )


SECTION = Section("confusion", "Confusion matrix", _values, needs=("predictions",))
