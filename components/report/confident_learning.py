"""Which labels are probably wrong, by what models that have not seen a picture say of it.

Confident learning (Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", JAIR 70, 2021): a class's threshold is the mean score that the pictures labelled
so get for it. A picture whose score of another class is over that one's threshold, and the highest
of those that are over theirs, is counted outside the diagonal of the confident joint: its label is
in doubt. Doubts are ranked by the normalised margin: the label's score minus the best other one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Ranked(NamedTuple):
    """Arrays of [pictures], by picture."""

    in_doubt: np.ndarray  # bool
    suggested: np.ndarray  # int64, the class with the best score beside the label
    margin: np.ndarray  # float, in [-1, 1]; the lower, the more doubtful


def ranked(scores: np.ndarray, labels: np.ndarray) -> Ranked:
    """Returns which labels are in doubt.

    Args:
      scores: [pictures, classes] probabilities by models that have not seen the picture.
      labels: [pictures] int64, positions of classes.
    """
    pictures = np.arange(len(labels))
    own = scores[pictures, labels]
    classes = scores.shape[1]
    counts = np.bincount(labels, minlength=classes)
    sums = np.bincount(labels, weights=own, minlength=classes)
    # Nothing can be confidently of a class that has no picture here.
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    confident = np.where(scores >= thresholds, scores, -1.0)
    likely = confident.argmax(axis=1)
    in_doubt = (confident[pictures, likely] >= 0) & (likely != labels)
    others = scores.copy()
    others[pictures, labels] = -1.0
    suggested = np.where(in_doubt, likely, others.argmax(axis=1))
    margin = own - others.max(axis=1)
    return Ranked(in_doubt, suggested.astype(np.int64), margin)
