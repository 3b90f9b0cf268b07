"""Whether a score of 0.9 means that nine predictions of ten are right."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from components.artifacts.calibration import BINS, bins, calibration_error, with_temperature
from components.artifacts.predictions import CANDIDATE
from components.report.page_data import Run, Section
from components.report.plots import BLUE, MUTED, dress, to_svg

_SIZE = (4.5, 3.4)  # inches


def _values(run: Run) -> dict[str, Any]:
    candidate = run.verdict["metrics"]["candidate"]
    return {
        "error": candidate["calibration_error"],
        "interval": candidate["intervals"].get("calibration_error"),
        "log_loss": candidate["log_loss"],
        "bins": BINS,
        "figure": reliability(run.answers.score, run.answers.correct),
        "temperature": run.scoring.get("temperature", 1.0),
        **_before(run),
    }


def _before(run: Run) -> dict[str, Any]:
    """Returns what the test scores were before the temperature, where there is one."""
    temperature, predictions = run.scoring.get("temperature", 1.0), run.predictions
    if temperature == 1 or predictions is None:
        return {}
    known = predictions.scores[CANDIDATE][:, : predictions.known]
    scores = with_temperature(known, 1 / temperature)
    right = predictions.correct(CANDIDATE)
    top = scores.max(axis=1)
    return {
        "error_before": calibration_error(top, right),
        "figure_before": reliability(top, run.answers.correct),
    }


def reliability(score: np.ndarray, correct: np.ndarray) -> Markup:
    """Draws accuracy over score, and below how many predictions have that score.

    Args:
      score: [pictures] of the predicted class.
      correct: [pictures] bool.
    """
    pictures, scores, right = bins(score, correct)
    there = pictures > 0
    figure = Figure(_SIZE)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    upper.plot([0, 1], [0, 1], ls=(0, (2, 3)), lw=1, color=MUTED)
    upper.plot(scores[there] / pictures[there], right[there] / pictures[there], "o-", color=BLUE)
    lower.bar((np.arange(BINS) + 0.5) / BINS, pictures, width=0.85 / BINS, color=BLUE)
    upper.set(xlim=(0, 1.02), ylim=(0, 1.04))
    for axes, name in ((upper, "accuracy"), (lower, "pictures")):
        dress(axes)
        axes.set_ylabel(name, color=MUTED, size=10)
    lower.set_xlabel("score of the predicted class", color=MUTED, size=10)
    return to_svg(figure, _alt(pictures, scores, right), stretch=1.5)


def _alt(pictures: np.ndarray, scores: np.ndarray, right: np.ndarray) -> str:
    there = np.flatnonzero(pictures)
    parts = [
        f"scores near {scores[n] / pictures[n]:.2f}: accuracy {right[n] / pictures[n]:.2f}, "
        f"{pictures[n]:.0f} pictures"
        for n in there
    ]
    return f"Reliability diagram. {'; '.join(parts)}"


SECTION = Section("calibration", "Calibration", _values, needs=("verdict",))
