"""The thresholds by which a model says that it is certain, chosen on the `eval` split."""

from __future__ import annotations

import numpy as np

KNOWN = 0.98
"""Part of the `eval` pictures whose distance to the training features counts as usual."""
TOGETHER = 0.95
"""Part of the pictures of known classes that keep both thresholds in the mean over draws of `eval`,
where the wanted accuracy would let all be answered."""
ALWAYS = 0.0
"""A threshold that every score reaches."""
NEVER = 2.0
"""A threshold that no score reaches."""


def score_threshold(score: np.ndarray, correct: np.ndarray, accuracy: float) -> float:
    """Returns the least score from which on predictions are right with the wanted probability.

    Split conformal selection (Jin and Candes 2023, "Selection by Prediction with Conformal
    p-values"), the next picture counted as a wrong prediction: the least threshold t with
    (1 + wrong + sqrt(wrong)) / (1 + pictures) <= 1 - accuracy, both counted at t and above. For a
    picture drawn as these were, P(wrong and above t) <= (1 - accuracy) P(above t*), where t* is the
    threshold with that picture's own label known. The root, the standard error of the count, makes
    up for the choice among many thresholds, by which t* may lie below t.

    Args:
      score: [pictures] of the predicted class.
      correct: [pictures] bool.
      accuracy: wanted, in [0, 1).

    Returns:
      `NEVER` where there is none. It takes accuracy / (1 - accuracy) correct pictures at least, 19
      for 0.95. Where all pictures may be answered, every threshold up to the lowest score will do:
      that score, which tells more strangers, if `TOGETHER` has room for it, else `ALWAYS`.
    """
    order = np.argsort(-score, kind="stable")
    score, wrong = score[order], np.cumsum(~correct[order])
    bound = 1 + wrong + np.sqrt(wrong)
    reached = bound <= (1 - accuracy) * (2 + np.arange(len(score))) + 1e-9
    whole = np.append(score[1:] != score[:-1], True)[: len(score)]  # equal scores stay together
    places = np.flatnonzero(reached & whole)
    if not len(places):
        return NEVER
    answers_all = places[-1] == len(score) - 1
    return ALWAYS if answers_all and not _room(len(score)) else float(score[places[-1]])


def _room(pictures: int) -> bool:
    """Checks whether the lowest of so many scores may be the threshold beside that of the distance.

    The next picture has the lowest score or the largest distance of all with the probability
    1 / (pictures + 1) each; the two add up (Bonferroni).
    """
    ranks = pictures + 1
    return (1 - TOGETHER) * ranks - max(1.0, (1 - KNOWN) * ranks) >= 1 - 1e-9


def distance_threshold(distance: np.ndarray) -> float:
    """Returns the distance that at least `KNOWN` of the pictures of known classes do not exceed.

    With the next picture counted as the farthest, as split conformal prediction does (Vovk et al.
    2005). Of fewer than 49 pictures it is the largest distance; infinity without any.
    """
    rank = min(int(np.ceil(KNOWN * (len(distance) + 1))), len(distance))
    return float(np.sort(distance)[rank - 1]) if rank else float("inf")
