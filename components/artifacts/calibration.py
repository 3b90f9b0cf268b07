"""How well the scores of a classifier agree with its accuracy."""

from __future__ import annotations

import numpy as np

BINS = 15
"""Of equal width over [0, 1], as in Guo et al. 2017, "On Calibration of Modern Neural Networks"."""


def bin_of(score: np.ndarray) -> np.ndarray:
    """Returns the bin of each score in [0, 1]: int64 in [0, BINS)."""
    return np.minimum((score * BINS).astype(np.int64), BINS - 1)


def bins(
    score: np.ndarray, correct: np.ndarray, weight: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sorts predictions into bins by their score.

    Args:
      score: [pictures] of the predicted class.
      correct: [pictures] bool.
      weight: [pictures] how often each counts; once if left out.

    Returns:
      Per bin: weight of its pictures, sum of their scores, weight of the correct ones.
    """
    weight = np.ones(len(score)) if weight is None else weight
    place = bin_of(score)
    return (
        np.bincount(place, weight, BINS),
        np.bincount(place, weight * score, BINS),
        np.bincount(place, weight * correct, BINS),
    )


def calibration_error(
    score: np.ndarray, correct: np.ndarray, weight: np.ndarray | None = None
) -> float:
    """Returns the expected calibration error: mean distance of score and accuracy over the bins.

    Each bin weighs as many pictures as it holds. Takes what `bins` takes.
    """
    pictures, scores, right = bins(score, correct, weight)
    return float(np.abs(scores - right).sum() / pictures.sum())
