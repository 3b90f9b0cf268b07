"""Which classes are taken for which."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from components.report.figures import BLUE, INK, LINE, MUTED, ORANGE, PLAIN_TEXT, short, to_svg
from components.report.run import Run, Section

_DRAWN_CLASSES = 30  # of more, the most confused pairs are listed instead
_PAIRS = 30


def _values(run: Run) -> dict[str, Any]:
    if len(run.classes) <= _DRAWN_CLASSES:
        return {"figure": matrix(run.confusion, run.classes), "pairs": None}
    return {"figure": None, "pairs": confused_pairs(run.confusion, run.classes)}


def confused_pairs(confusion: np.ndarray, classes: list[str]) -> list[dict[str, Any]]:
    """Gives the pairs of classes most often confused: `label`, `predicted`, `count` and `of`.

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
    cell = float(np.interp(count, [2, 6, 12, _DRAWN_CLASSES], [1.1, 0.66, 0.5, 0.38]))  # inches
    size = 10 * cell + 5  # points
    figure = Figure((count * cell, count * cell))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, count), ylim=(count, 0))
    totals = confusion.sum(axis=1)
    for label, predicted in np.ndindex(confusion.shape):
        found = int(confusion[label, predicted])
        right = label == predicted
        rate = found / totals[label] if totals[label] else 0.0
        _draw_cell(axes, predicted, label, rate, BLUE if right else ORANGE)
        if found or right:
            at = predicted + 0.5, label + 0.5
            axes.text(*at, f"{found}", ha="center", va="bottom", size=size, color=INK)
            share = f"{100 * rate:.0f} %"
            below = {"ha": "center", "va": "top", "size": 0.75 * size, "color": INK}
            axes.text(at[0], at[1] + 0.06, share, **below)
    names, places = [short(name) for name in classes], np.arange(count) + 0.5
    level = max(map(len, names)) * 6 < 72 * cell  # a letter takes some 6 points
    axes.set_xticks(places, names, rotation=0 if level else 45, ha="center" if level else "right")
    axes.set_yticks(places, names)
    for text in [*axes.get_xticklabels(), *axes.get_yticklabels()]:
        text.set(color=INK, size=min(size, 11), rotation_mode="anchor", **PLAIN_TEXT)
    axes.set_xlabel("predicted", color=MUTED, size=10, labelpad=8)
    axes.set_ylabel("true", color=MUTED, size=10, labelpad=8)
    axes.tick_params(length=0, pad=6)
    axes.spines[:].set_visible(False)
    return to_svg(figure, _alt(confusion), stretch=1.25)


def _draw_cell(axes: Any, x: int, y: int, rate: float, colour: str) -> None:
    place, side = (x + 0.02, y + 0.02), 0.96
    axes.add_patch(Rectangle(place, side, side, fc=LINE, ec="none", alpha=0.35))
    if rate:
        alpha = 0.15 + 0.65 * rate  # even one picture shows, and text stays readable on all
        axes.add_patch(Rectangle(place, side, side, fc=colour, ec="none", alpha=alpha))


def _alt(confusion: np.ndarray) -> str:
    right, total = int(confusion.trace()), int(confusion.sum())
    return (
        f"Confusion matrix of {len(confusion)} classes: {right} of {total} test pictures lie on "
        "the diagonal. The table by class gives the same counts in words."
    )


SECTION = Section("confusion", "Confusion matrix", _values)
