"""The candidate's answers to the test pictures, and what is counted from them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

_CANDIDATE = "candidate"


class Answer(NamedTuple):
    """One test picture. Classes are positions in the class list, scores are in [0, 1]."""

    file: str
    label: int
    predicted: int
    score: float  # of the predicted class
    label_score: float  # of the true class


def read_answers(rows: Iterable[str], classes: list[str]) -> list[Answer]:
    """Reads the lines of a Predictions artifact one by one, keeping the two scores that count.

    Answers come sorted by file, since the order of the rows is Beam's.
    """
    position = {name: index for index, name in enumerate(classes)}
    return sorted(_answer(json.loads(row), position) for row in rows)


def _answer(row: dict, position: dict[str, int]) -> Answer:
    classes, scores = row[_CANDIDATE]["classes"], row[_CANDIDATE]["scores"]
    best = int(np.argmax(scores))
    return Answer(
        row["file"],
        position[row["label"]],
        position[classes[best]],
        scores[best],
        scores[classes.index(row["label"])],
    )


def confusion(answers: list[Answer], classes: int) -> np.ndarray:
    """Counts the answers: [classes, classes] int64, true class down, predicted class across."""
    counts = np.zeros((classes, classes), np.int64)
    for answer in answers:
        counts[answer.label, answer.predicted] += 1
    return counts


def worst_mistakes(answers: list[Answer], most: int) -> list[Answer]:
    """Gives the mistakes with the highest score for the wrong class, the highest first."""
    mistakes = [answer for answer in answers if answer.predicted != answer.label]
    return sorted(mistakes, key=lambda answer: (-answer.score, answer.file))[:most]
