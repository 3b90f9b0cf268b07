from __future__ import annotations

import numpy as np
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from components.report.answers import confusion, read_answers, worst_mistakes
from components.report.sections.classes import class_rows
from components.report.sections.confusion import confused_pairs
from tests.components.report.made_run import CLASSES, prediction, predictions

ANSWERS = read_answers(predictions(CLASSES, 200, right=0.6), CLASSES)
TRUE = [answer.label for answer in ANSWERS]
PREDICTED = [answer.predicted for answer in ANSWERS]


def test_the_confusion_matrix_is_that_of_scikit_learn() -> None:
    counts = confusion(ANSWERS, len(CLASSES))
    np.testing.assert_array_equal(counts, confusion_matrix(TRUE, PREDICTED))


def test_recall_and_precision_are_those_of_scikit_learn() -> None:
    rows = class_rows(confusion(ANSWERS, len(CLASSES)), CLASSES)
    assert [row["name"] for row in rows] == CLASSES
    assert [row["pictures"] for row in rows] == np.bincount(TRUE).tolist()
    recall = recall_score(TRUE, PREDICTED, average=None)
    precision = precision_score(TRUE, PREDICTED, average=None)
    np.testing.assert_allclose([row["recall"] for row in rows], recall)
    np.testing.assert_allclose([row["precision"] for row in rows], precision)


def test_a_rate_of_nothing_is_none() -> None:
    rows = class_rows(np.array([[2, 0, 0], [1, 0, 0], [0, 0, 0]]), CLASSES)
    assert [row["recall"] for row in rows] == [1.0, 0.0, None]
    assert [row["precision"] for row in rows] == [2 / 3, None, None]


def test_the_models_own_order_of_classes_does_not_matter() -> None:
    line = prediction("a.png", "pear", {"quince": 0.7, "pear": 0.2, "apple": 0.1})
    assert read_answers([line], CLASSES) == [("a.png", 1, 2, 0.7, 0.2)]


def test_the_order_of_the_rows_does_not_matter() -> None:
    lines = predictions(CLASSES, 30, right=0.5)
    assert read_answers(lines[::-1], CLASSES) == read_answers(lines, CLASSES)


def test_the_worst_mistakes_are_the_surest_ones() -> None:
    worst = worst_mistakes(ANSWERS, 5)
    scores = sorted((a.score for a in ANSWERS if a.label != a.predicted), reverse=True)
    assert [answer.score for answer in worst] == scores[:5]
    assert all(answer.label != answer.predicted for answer in worst)


def test_confused_pairs_come_most_frequent_first_and_leave_out_what_never_happened() -> None:
    counts = np.array([[5, 1, 0], [0, 2, 3], [0, 0, 4]])
    assert confused_pairs(counts, CLASSES) == [
        {"label": "pear", "predicted": "quince", "count": 3, "of": 5},
        {"label": "apple", "predicted": "pear", "count": 1, "of": 6},
    ]
