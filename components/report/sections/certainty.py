"""How many test pictures are answered, and how often that is right."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from components.artifacts.predictions import CANDIDATE, Predictions
from components.report.page_data import Run, Section
from components.report.plots import BLUE, MUTED, ORANGE, dress, to_svg

_SIZE = (4.5, 3.0)  # inches


def _values(run: Run) -> dict[str, Any]:
    assert run.predictions is not None
    certain, correct = run.predictions.certain, run.predictions.correct(CANDIDATE)
    found: dict[str, Any] = {"certain": None}
    if certain is not None:
        answered = int(certain.sum())
        found["certain"] = {
            **run.scoring.get("certain", {}),
            "share": answered / len(certain),
            "found": float(correct[certain].mean()) if answered else None,
        }
    return {**found, "figure": risk_coverage(run.predictions)}


def risk_coverage(predictions: Predictions) -> Markup:
    """Draws accuracy over the share of pictures answered, the highest scores first.

    The curve of Geifman and El-Yaniv 2017, "Selective Classification for Deep Neural Networks",
    with accuracy for 1 - risk; beside it what is `certain`.
    """
    correct = predictions.correct(CANDIDATE)
    share, accuracy = curve(predictions.scores[CANDIDATE].max(axis=1), correct)
    figure = Figure(_SIZE)
    axes = figure.subplots()
    axes.plot(share, accuracy, color=BLUE)
    certain = predictions.certain
    if certain is not None and certain.any():
        axes.plot([certain.mean()], [correct[certain].mean()], "o", color=ORANGE)
    axes.set(xlim=(0, 1.02), ylim=(min(0.98, accuracy.min()) - 0.02, 1.01))
    axes.set_xlabel("share of the pictures answered", color=MUTED, size=10)
    axes.set_ylabel("accuracy", color=MUTED, size=10)
    dress(axes)
    parts = [
        f"{part:.0%} answered: accuracy {accuracy[max(0, round(part * len(share)) - 1)]:.3f}"
        for part in (0.25, 0.5, 0.75, 1.0)
    ]
    return to_svg(figure, f"Accuracy by the share answered. {'; '.join(parts)}", stretch=1.5)


def curve(score: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns share answered and accuracy [pictures], as the threshold falls past each picture.

    Args:
      score: [pictures] of the predicted class.
      correct: [pictures] bool.
    """
    answered = np.arange(1, len(score) + 1)
    right = np.cumsum(correct[np.argsort(-score, kind="stable")])
    return answered / len(score), right / answered


SECTION = Section("certainty", "Answering less", _values, needs=("verdict", "predictions"))
