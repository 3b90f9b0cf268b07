"""The learning-rate range test (Smith 2017, arXiv 1506.01186): the loss while the rate rises."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

LOWEST, HIGHEST, STEPS = 1e-7, 10.0, 200
_DIVERGED = 4.0  # times the smallest loss so far; fastai's `lr_find` stops there, too
_MEMORY = 0.9  # of the running loss that shows the divergence
_WINDOW = 10  # batches to either side: with 200 of them 0.4 of a power of ten


@dataclasses.dataclass(frozen=True)
class Curve:
    """The result of a sweep, a value per batch."""

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    """The mean loss of the batches around."""
    diverged: bool
    """The loss rose far over its minimum, or became NaN or infinite, before the highest rate."""

    @property
    def suggestion(self) -> float | None:
        """The rate at which the smoothed loss falls fastest; None where it never falls.

        A training can start with it: where the loss is least, it is about to diverge.
        """
        losses, powers = np.array(self.smoothed), np.log10(self.rates)
        at = np.arange(int(np.argmin(losses)) if losses.size else 0)
        if not at.size:
            return None
        before, after = np.maximum(at - _WINDOW, 0), np.minimum(at + _WINDOW, at.size)
        slopes = (losses[after] - losses[before]) / (powers[after] - powers[before])
        steepest = int(np.argmin(slopes))
        return self.rates[steepest] if slopes[steepest] < 0 else None


def sweep(
    fit_batch: Callable[[float], float],
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    steps: int = STEPS,
) -> Curve:
    """Raises the rate from batch to batch by the same factor until the loss diverges.

    Args:
      fit_batch: fits one batch with a rate, and returns the loss after it.
      lowest: the first rate.
      highest: the last one.
      steps: batches from one to the other.
    """
    losses: list[float] = []
    rates = np.geomspace(lowest, highest, steps).tolist()
    running, least, diverged = 0.0, math.inf, False
    for rate in rates:
        loss = fit_batch(rate)
        if not math.isfinite(loss):
            diverged = True
            break
        losses.append(loss)
        running = _MEMORY * running + (1 - _MEMORY) * loss
        unbiased = running / (1 - _MEMORY ** len(losses))
        least = min(least, unbiased)
        if unbiased > _DIVERGED * least:
            diverged = True
            break
    return Curve(rates[: len(losses)], losses, _smooth(losses), diverged)


def _smooth(losses: list[float]) -> list[float]:
    """Means over the batches before and after alike: a running mean would come late."""
    return [
        float(np.mean(losses[max(0, at - _WINDOW) : at + _WINDOW + 1])) for at in range(len(losses))
    ]
