"""The models' predictions for the test pictures, one by one, and counts of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from components.artifacts.predictions import BASELINE, CANDIDATE, Predictions
from components.packed import Packed


class Answer(NamedTuple):
    """One test picture. Classes are positions in `Predictions.classes`, scores are in [0, 1]."""

    file: str
    label: int
    predicted: int
    score: float  # of the predicted class
    label_score: float  # of the true class


class Answers(Packed[Answer]):
    """A model's predictions, by file: rows that are made when they are asked for.

    Attributes:
      label, predicted: [pictures] int64.
      score, label_score: [pictures] float64.
    """

    def __init__(self, predictions: Predictions, model: str):
        scores, rows = predictions.scores[model], np.arange(len(predictions.files))
        self._files = predictions.files
        self.label, self.predicted = predictions.labels, predictions.predicted[model]
        self.score = scores[rows, self.predicted]
        self.label_score = scores[rows, self.label]

    @property
    def correct(self) -> np.ndarray:
        """Which of them are right: [pictures] bool."""
        return np.asarray(self.predicted == self.label)

    def __len__(self) -> int:
        return len(self._files)

    def _item(self, at: int) -> Answer:
        columns = (self.label, self.predicted, self.score, self.label_score)
        return Answer(self._files[at], *(column[at].item() for column in columns))

    def surest_first(self, which: np.ndarray) -> np.ndarray:
        """Returns the positions of those among the answers, by falling score and then by file."""
        rows = np.flatnonzero(which)
        return rows[np.argsort(-self.score[rows], kind="stable")]


def answers_of(predictions: Predictions, model: str = CANDIDATE) -> Answers:
    """Returns a model's predictions, by file."""
    return Answers(predictions, model)


def confusion(predictions: Predictions) -> np.ndarray:
    """Counts the candidate's predictions: [classes, classes] int64, true class down."""
    counts = np.zeros((predictions.known,) * 2, np.int64)
    np.add.at(counts, (predictions.labels, predictions.predicted[CANDIDATE]), 1)
    return counts


def worst_mistakes(answers: Answers, most: int) -> list[Answer]:
    """Returns the mistakes with the highest score for the wrong class, the highest first."""
    return [answers[at] for at in answers.surest_first(~answers.correct)[:most].tolist()]


def surest(answers: Answers, most: int) -> list[Answer]:
    """Returns correct predictions with a high score, the classes taking turns."""
    rows = answers.surest_first(answers.correct)
    label = answers.label[rows]
    by_label = np.argsort(label, kind="stable")
    first = np.searchsorted(label[by_label], label[by_label])
    turn = np.empty(len(rows), np.int64)
    turn[by_label] = np.arange(len(rows)) - first
    order = np.lexsort((label, turn))
    return [answers[at] for at in rows[order[:most]].tolist()]


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
