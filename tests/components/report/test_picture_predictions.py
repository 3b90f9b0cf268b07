from __future__ import annotations

import numpy as np
from sklearn.metrics import confusion_matrix

from components.artifacts.predictions import read
from components.report.picture_predictions import (
    Change,
    answers_of,
    changed_sides,
    confusion,
    surest,
    worst_mistakes,
)
from components.report.sections.confusion import confused_pairs
from components.report.sections.precision_recall import curve
from tests.components.report.made_run import CLASSES, models, prediction, predictions

PREDICTIONS = read(models(CLASSES), predictions(CLASSES, 200, right=0.6))
ANSWERS = answers_of(PREDICTIONS)


def test_the_confusion_matrix_is_that_of_scikit_learn() -> None:
    true = [answer.label for answer in ANSWERS]
    predicted = [answer.predicted for answer in ANSWERS]
    np.testing.assert_array_equal(confusion(PREDICTIONS), confusion_matrix(true, predicted))


def test_an_answer_has_the_scores_of_both_classes() -> None:
    line = prediction("a.png", "pear", {"apple": 0.1, "pear": 0.2, "quince": 0.7})
    assert answers_of(read(models(CLASSES), [line])) == [("a.png", 1, 2, 0.7, 0.2)]


def test_the_worst_mistakes_are_the_surest_ones() -> None:
    worst = worst_mistakes(ANSWERS, 5)
    scores = sorted((a.score for a in ANSWERS if a.label != a.predicted), reverse=True)
    assert [answer.score for answer in worst] == scores[:5]
    assert all(answer.label != answer.predicted for answer in worst)


def test_of_the_correct_answers_the_classes_take_turns() -> None:
    found = surest(ANSWERS, 6)
    assert [answer.label for answer in found] == [0, 1, 2, 0, 1, 2]
    assert all(answer.label == answer.predicted for answer in found)
    best = max(a.score for a in ANSWERS if a.label == a.predicted == 0)
    assert found[0].score == best


def test_pictures_change_sides_where_only_one_model_is_right() -> None:
    right = {"apple": 0.9, "pear": 0.1, "quince": 0.0}
    wrong = {"apple": 0.1, "pear": 0.9, "quince": 0.0}
    lines = [
        prediction("lost.png", "apple", wrong, right),
        prediction("gained.png", "apple", right, wrong),
        prediction("both.png", "apple", right, right),
        prediction("neither.png", "quince", right, wrong),
    ]
    turned_right, turned_wrong = changed_sides(read(models(CLASSES, baseline=True), lines))
    assert turned_right == [Change("gained.png", 0, before=1, now=0)]
    assert turned_wrong == [Change("lost.png", 0, before=0, now=1)]


def test_confused_pairs_come_most_frequent_first_and_leave_out_what_never_happened() -> None:
    counts = np.array([[5, 1, 0], [0, 2, 3], [0, 0, 4]])
    assert confused_pairs(counts, CLASSES) == [
        {"label": "pear", "predicted": "quince", "count": 3, "of": 5},
        {"label": "apple", "predicted": "pear", "count": 1, "of": 6},
    ]


def test_a_precision_recall_curve_is_scikit_learns_ties_and_all() -> None:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    random = np.random.default_rng(0)
    positive, score = random.random(80) < 0.4, random.integers(20, size=80) / 20
    found = curve("a", positive, score)
    precision, recall, _ = precision_recall_curve(positive, score)
    np.testing.assert_allclose(found.precision, precision[:-1][::-1])
    np.testing.assert_allclose(found.recall, recall[:-1][::-1])
    assert np.isclose(found.average, average_precision_score(positive, score))
