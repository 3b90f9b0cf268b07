"""Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks").

Of a softmax, log scores are logits but for a constant of each picture: softmax(logits / T) is
softmax(log(scores) / T). So the temperature works on scores, whatever made them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from components.artifacts.calibration import negative_log_likelihood, with_temperature

_LEAST, _MOST = np.log(1 / 20), np.log(20)  # of ln T
_STEPS, _REFINEMENTS = 60, 40
_GOLDEN = (np.sqrt(5) - 1) / 2


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """Returns the temperature that calibrates scores best; 1 where none makes them more likely.

    It minimises the negative log-likelihood of all pictures plus (ln T)^2 / 2, a standard normal
    prior of ln T: a few pictures that are all classified correctly would otherwise make every score
    1. With hundreds of pictures the prior is of no weight.

    Args:
      scores: [pictures, classes] probabilities.
      labels: [pictures] positions of the true classes.
    """
    if not len(labels) or not np.isfinite(scores).all():
        return 1.0

    def cost(log_temperature: float) -> float:
        scaled = with_temperature(scores, float(np.exp(log_temperature)))
        return len(labels) * negative_log_likelihood(scaled, labels) + log_temperature**2 / 2

    found = float(np.exp(_minimum(cost)))
    before, after = (
        negative_log_likelihood(with_temperature(scores, each), labels) for each in (1.0, found)
    )
    return found if after < before else 1.0


def _minimum(cost: Callable[[float], float]) -> float:
    """Returns where the cost is least, by a grid and golden sections around its best point."""
    grid = np.linspace(_LEAST, _MOST, _STEPS + 1)
    best = int(np.argmin([cost(float(place)) for place in grid]))
    low, high = float(grid[max(0, best - 1)]), float(grid[min(_STEPS, best + 1)])
    for _ in range(_REFINEMENTS):
        inner, outer = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if cost(inner) < cost(outer):
            high = outer
        else:
            low = inner
    return (low + high) / 2
