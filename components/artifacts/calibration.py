"""How well the scores of a classifier agree with its accuracy."""

from __future__ import annotations

import numpy as np

BINS = 15
"""Of equal width over [0, 1], as in Guo et al. 2017, "On Calibration of Modern Neural Networks"."""


TINY = float(np.finfo(np.float32).tiny)
"""The smallest score whose logarithm is taken: a softmax may return 0."""


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


def with_temperature(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Returns softmax(log(scores) / temperature): the scores that logits / temperature make.

    Args:
      scores: [pictures, classes] probabilities.
      temperature: over 0; the classes keep their order.
    """
    logits = np.log(np.maximum(scores, TINY).astype(np.float64)) / temperature
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def negative_log_likelihood(scores: np.ndarray, labels: np.ndarray) -> float:
    """Returns the mean of -ln of the true class's score.

    Args:
      scores: [pictures, classes] probabilities.
      labels: [pictures] positions of the true classes.
    """
    return float(-np.log(np.maximum(scores[np.arange(len(labels)), labels], TINY)).mean())
