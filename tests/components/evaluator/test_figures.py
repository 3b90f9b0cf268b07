from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as sklearn_metrics

from components.artifacts.calibration import calibration_error
from components.evaluator.figures import area_under_roc
from components.evaluator.intervals import confidence_intervals


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_the_area_under_roc_is_scikit_learns_ties_and_all(
    pairs: list[tuple[bool, int]],
) -> None:
    positive, score = np.array([p for p, _ in pairs]), np.array([s for _, s in pairs]) / 5
    if positive.all() or not positive.any():
        return
    expected = sklearn_metrics.roc_auc_score(positive, score)
    assert area_under_roc(positive, score) == pytest.approx(expected)


def test_the_calibration_error_is_the_mean_gap_of_score_and_accuracy() -> None:
    score = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    correct = np.array([True, True, True, False, True, False])
    expected = (4 * abs(0.95 - 0.75) + 2 * abs(0.55 - 0.5)) / 6
    assert calibration_error(score, correct) == pytest.approx(expected)
    assert calibration_error(np.ones(3), np.ones(3, bool)) == 0.0
    weighed = calibration_error(score, correct, np.array([1, 1, 1, 1, 0, 0]))
    assert weighed == pytest.approx(0.2)


def answers(pictures: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(3, size=pictures)
    scores = random.dirichlet(np.ones(4), pictures)
    scores[np.arange(pictures), labels] += 0.4
    return labels, scores / scores.sum(axis=1, keepdims=True)


def test_intervals_hold_the_figure_and_shrink_with_more_pictures() -> None:
    widths = []
    for pictures in (50, 800):
        labels, scores = answers(pictures)
        lower, upper = confidence_intervals(labels, scores, ["a", "b", "c", "d"])["accuracy"]
        accuracy = float((scores.argmax(axis=1) == labels).mean())
        assert lower < accuracy < upper
        widths.append(upper - lower)
    assert widths[1] < widths[0] / 3  # a fourth, by the square root of 16


def test_the_interval_of_an_accuracy_is_about_the_binomial_ones() -> None:
    labels, scores = answers(800)
    accuracy = float((scores.argmax(axis=1) == labels).mean())
    lower, upper = confidence_intervals(labels, scores, ["a", "b", "c", "d"])["accuracy"]
    expected = 2 * 1.96 * (accuracy * (1 - accuracy) / 800) ** 0.5
    assert upper - lower == pytest.approx(expected, rel=0.1)


def test_a_class_without_pictures_has_no_interval_and_the_same_answers_give_the_same_ones() -> None:
    labels, scores = answers(60)
    found = confidence_intervals(labels, scores, ["a", "b", "c", "d"])
    assert found["class_recall"]["d"] is None
    assert list(found["class_recall"]) == ["a", "b", "c", "d"]
    assert found == confidence_intervals(labels, scores, ["a", "b", "c", "d"])


def test_rates_have_wilsons_interval_also_where_all_are_right() -> None:
    labels = np.array([0] * 20 + [1] * 5 + [2] * 5)
    predicted = np.array([0] * 20 + [1] * 3 + [0, 2] + [2] * 5)
    found = confidence_intervals(labels, np.eye(3)[predicted], ["a", "b", "c"])
    for interval, right, pictures in (
        (found["accuracy"], 28, 30),
        (found["class_recall"]["a"], 20, 20),
        (found["class_recall"]["b"], 3, 5),
        (found["class_precision"]["a"], 20, 21),
    ):
        assert interval == pytest.approx(
            tuple(binomtest(right, pictures).proportion_ci(method="wilson")), abs=1e-6
        )
