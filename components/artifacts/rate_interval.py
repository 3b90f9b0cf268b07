"""The interval of a rate that was counted on some pictures."""

from __future__ import annotations

import math

_Z = 1.959963984540054  # the normal distribution's quantile of a two-sided 95 % interval


def wilson(right: int, pictures: int) -> tuple[float, float]:
    """Returns the 95 % interval of a rate; [0, 1] without pictures.

    Wilson 1927, "Probable inference, the law of succession, and statistical inference".

    Args:
      right: how many of the pictures are right.
      pictures: their number.
    """
    if pictures == 0:
        return 0.0, 1.0
    rate, square = right / pictures, _Z**2 / pictures
    middle = (rate + square / 2) / (1 + square)
    half = _Z * math.sqrt(rate * (1 - rate) / pictures + square / (4 * pictures)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)
