"""Whether two models' predictions for the same pictures differ by more than chance."""

from __future__ import annotations

import dataclasses
import math
from statistics import NormalDist

_POWER = 0.8  # the chance of seeing a difference that is there; Cohen 1988


@dataclasses.dataclass(frozen=True)
class Pairs:
    """The pictures on which one model is right and the other wrong, out of `pictures`."""

    pictures: int
    gained: int  # the candidate alone is right
    lost: int  # the baseline alone is right

    @property
    def difference(self) -> float:
        """Accuracy of the candidate less that of the baseline."""
        return (self.gained - self.lost) / self.pictures

    @property
    def p_value(self) -> float:
        """The exact McNemar test's, two-sided (McNemar 1947; Edwards 1948).

        The chance of a division of the disputed pictures at least as uneven, if both models were
        equally good: each then goes either way as a coin falls.
        """
        disputed, fewer = self.gained + self.lost, min(self.gained, self.lost)
        tail = ways = 1
        for chosen in range(1, fewer + 1):
            ways = ways * (disputed - chosen + 1) // chosen
            tail += ways
        return min(1.0, 2 * tail / 2**disputed)

    def pictures_needed(self, confidence: float) -> int | None:
        """Returns how many pictures would show a difference such as this with a chance of 80 %.

        None where there is no difference. The sample size of McNemar's test (Connor 1987,
        "Sample size for testing differences in proportions for the paired-sample design").
        """
        if self.gained == self.lost:
            return None
        disputed = (self.gained + self.lost) / self.pictures
        normal = NormalDist()
        level, power = normal.inv_cdf((1 + confidence) / 2), normal.inv_cdf(_POWER)
        spread = math.sqrt(max(0.0, disputed - self.difference**2))
        root = level * math.sqrt(disputed) + power * spread
        return math.ceil((root / self.difference) ** 2)
