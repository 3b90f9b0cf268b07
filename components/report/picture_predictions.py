"""The models' predictions for the test pictures, one by one, and counts of them."""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from components.artifacts.predictions import BASELINE, CANDIDATE, Predictions


class Answer(NamedTuple):
    """One test picture. Classes are positions in `Predictions.classes`, scores are in [0, 1]."""

    file: str
    label: int
    predicted: int
    score: float  # of the predicted class
    label_score: float  # of the true class


def answers_of(predictions: Predictions, model: str = CANDIDATE) -> list[Answer]:
    """Returns a model's predictions, by file."""
    scores, predicted = predictions.scores[model], predictions.predicted[model]
    rows = np.arange(len(predictions.files))
    columns = (predictions.labels, predicted, scores[rows, predicted])
    label_score = scores[rows, predictions.labels]
    return [
        Answer(*answer)
        for answer in zip(
            predictions.files,
            *(column.tolist() for column in columns),
            label_score.tolist(),
            strict=True,
        )
    ]


def confusion(predictions: Predictions) -> np.ndarray:
    """Counts the candidate's predictions: [classes, classes] int64, true class down."""
    counts = np.zeros((predictions.known,) * 2, np.int64)
    np.add.at(counts, (predictions.labels, predictions.predicted[CANDIDATE]), 1)
    return counts


def worst_mistakes(answers: Iterable[Answer], most: int) -> list[Answer]:
    """Returns the mistakes with the highest score for the wrong class, the highest first."""
    mistakes = [answer for answer in answers if answer.predicted != answer.label]
    return sorted(mistakes, key=lambda answer: (-answer.score, answer.file))[:most]


def surest(answers: Iterable[Answer], most: int) -> list[Answer]:
    """Returns correct predictions with a high score, the classes taking turns."""
    turns: collections.Counter[int] = collections.Counter()
    found = []
    for answer in sorted(answers, key=lambda answer: (-answer.score, answer.file)):
        if answer.predicted == answer.label:
            found.append((turns[answer.label], answer.label, answer))
            turns[answer.label] += 1
    return [answer for _, _, answer in sorted(found)[:most]]


class Change(NamedTuple):
    """A test picture on which candidate and baseline do not agree in being right."""

    file: str
    label: int
    before: int  # the class that the baseline predicts
    now: int


def changed_sides(predictions: Predictions) -> tuple[list[Change], list[Change]]:
    """Returns the pictures that turned right and those that turned wrong, by file."""
    right = {model: predictions.correct(model) for model in (CANDIDATE, BASELINE)}

    def changes(which: np.ndarray) -> list[Change]:
        return [
            Change(
                predictions.files[row],
                int(predictions.labels[row]),
                int(predictions.predicted[BASELINE][row]),
                int(predictions.predicted[CANDIDATE][row]),
            )
            for row in np.flatnonzero(which)
        ]

    return (
        changes(right[CANDIDATE] & ~right[BASELINE]),
        changes(right[BASELINE] & ~right[CANDIDATE]),
    )
