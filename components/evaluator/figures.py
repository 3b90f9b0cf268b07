"""Computes metrics from scores and labels alone, beside those that TFMA brings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class ByClass(NamedTuple):
    """Metrics of every class, [classes] float64; NaN where one can't be measured.

    Classes without pictures have no recall and no F1, those never predicted no precision.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray


def by_class(actual: np.ndarray, predicted: np.ndarray, right: np.ndarray) -> ByClass:
    """Returns the metrics of every class from its counts, each [classes].

    Args:
      actual: pictures of the class.
      predicted: pictures taken for it.
      right: those of both.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = np.where(actual > 0, 2 * right / (actual + predicted), np.nan)
        return ByClass(right / predicted, right / actual, f1)


def macro(figures: ByClass) -> ByClass:
    """Returns the means over the classes that have pictures.

    A class that was never predicted counts with a precision of 0, as with scikit-learn's
    `zero_division=0`.
    """
    there = ~np.isnan(figures.recall)
    precision = np.nan_to_num(figures.precision)
    return ByClass(*(values[there].mean() for values in (precision, figures.recall, figures.f1)))


def area_under_roc(positive: np.ndarray, score: np.ndarray) -> float:
    """Returns the area under the ROC curve, exactly: the Mann-Whitney statistic with mean ranks.

    Args:
      positive: [pictures] bool, with both values in it.
      score: [pictures].
    """
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place.reshape(-1)]
    ones = int(positive.sum())
    wins = rank[positive].sum() - ones * (ones + 1) / 2
    return float(wins / (ones * (len(positive) - ones)))
