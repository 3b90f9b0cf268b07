"""Bounds of a rate from a count of right answers: the exact binomial distribution."""

from __future__ import annotations

import math


def at_most(right: int, pictures: int, rate: float) -> float:
    """Returns the chance of no more than so many right answers at this rate of right ones."""
    if rate <= 0 or right >= pictures:
        return 1.0
    if rate >= 1:
        return 0.0
    ways = math.lgamma(pictures + 1)
    logs = (
        ways
        - math.lgamma(count + 1)
        - math.lgamma(pictures - count + 1)
        + count * math.log(rate)
        + (pictures - count) * math.log1p(-rate)
        for count in range(right + 1)
    )
    return min(1.0, math.fsum(map(math.exp, logs)))


def is_below(right: int, pictures: int, least: float, confidence: float) -> bool:
    """Checks whether the rate lies under `least` with this confidence.

    That is, whether the exact upper bound of the rate, one-sided, does (Clopper and Pearson, "The
    use of confidence or fiducial limits illustrated in the case of the binomial", 1934).
    """
    return right < least * pictures and at_most(right, pictures, least) <= 1 - confidence
