"""Precision and recall by the threshold on a class's score."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from components.artifacts.predictions import CANDIDATE, Predictions
from components.report.page_data import Run, Section
from components.report.plots import BLUE, LINE, MUTED, ORANGE, dress, to_svg

_SIZE = (4.5, 3.2)  # inches
_DRAWN = 40  # classes, those with the lowest average precision
_POINTS = 150  # of a curve


class Curve(NamedTuple):
    """A class against all others; by falling threshold, so recall rises."""

    name: str
    recall: np.ndarray
    precision: np.ndarray
    average: float  # average precision: the area under the steps


def _values(run: Run) -> dict[str, Any]:
    assert run.predictions is not None
    found = sorted(curves(run.predictions), key=lambda curve: curve.average)
    shown = found[:_DRAWN]
    if len(found) > len(shown):
        shown[-1] = found[-1]
    return {
        "worst": found[0],
        "best": found[-1],
        "classes": len(found),
        "drawn": len(shown),
        "mean": float(np.mean([curve.average for curve in found])),
        "figure": draw(shown),
    }


def curves(predictions: Predictions) -> list[Curve]:
    """Returns the curve of every class that has test pictures, in the class list's order."""
    found = []
    for index, name in enumerate(predictions.classes[: predictions.known]):
        positive = predictions.labels == index
        if positive.any():
            found.append(curve(name, positive, predictions.scores[CANDIDATE][:, index]))
    return found


def curve(name: str, positive: np.ndarray, score: np.ndarray) -> Curve:
    """Returns the curve of one class, from [pictures] bool and its scores."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.diff(score[order]) != 0, True)  # equal scores share a threshold
    hits = np.cumsum(positive[order])[last]
    taken = np.flatnonzero(last) + 1
    recall, precision = hits / positive.sum(), hits / taken
    average = float(np.sum(np.diff(recall, prepend=0.0) * precision))
    return Curve(name, recall, precision, average)


def draw(shown: list[Curve]) -> Markup:
    """Draws curves sorted by average precision; the first and the last stand out."""
    figure = Figure(_SIZE)
    axes = figure.add_subplot()
    styles = [(LINE, 1.2)] * len(shown)
    styles[-1], styles[0] = (BLUE, 2), (ORANGE, 2)
    order = sorted(range(len(shown)), key=lambda n: n in (0, len(shown) - 1))
    for number in order:
        one, (colour, width) = shown[number], styles[number]
        points = np.unique(np.linspace(0, len(one.recall) - 1, _POINTS).astype(int))
        axes.plot(one.recall[points], one.precision[points], color=colour, lw=width)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.04))
    dress(axes)
    axes.set_xlabel("recall", color=MUTED, size=10)
    axes.set_ylabel("precision", color=MUTED, size=10)
    alt = (
        f"Precision over recall of {len(shown)} classes; average precision from "
        f"{shown[0].average:.3f} ({shown[0].name}) to {shown[-1].average:.3f} ({shown[-1].name})"
    )
    return to_svg(figure, alt, stretch=1.5)


SECTION = Section("precision_recall", "Precision and recall", _values, needs=("predictions",))
