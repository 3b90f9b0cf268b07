from __future__ import annotations

import numpy as np

from components.evaluator.intervals import confidence_intervals


def test_an_interval_holds_the_figure_itself() -> None:
    """Of a model that is right as often as it says: each sample of it is less so."""
    sure = np.repeat([0.55, 0.65, 0.75, 0.85, 0.95], 40)
    right = np.tile(np.arange(40), 5) < 40 * sure - 1e-9
    labels = np.zeros(len(sure), np.int64)
    scores = np.stack([np.where(right, sure, 1 - sure), np.where(right, 1 - sure, sure)], axis=1)
    low, high = confidence_intervals(labels, scores, ["a", "b"])["calibration_error"]
    assert low <= 1e-6 and high > 0.02


def test_the_samples_stay_those_of_the_seed() -> None:
    labels = np.array([0, 1] * 50)
    scores = np.where(np.arange(2) == labels[:, None], 0.8, 0.2)
    scores[:10] = scores[:10, ::-1]
    one, other = (confidence_intervals(labels, scores, ["a", "b"]) for _ in range(2))
    assert one == other and one["calibration_error"][0] < 0.1 < one["calibration_error"][1] + 0.05
