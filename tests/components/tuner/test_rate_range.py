from __future__ import annotations

import math

import pytest

from components.tuner.rate_range import sweep


class Bowl:
    """Gradient descent on curvature / 2 * w ** 2, which diverges at rates over 2 / curvature."""

    def __init__(self, curvature: float):
        self._curvature = curvature
        self._weight = 1.0
        self.rates: list[float] = []

    def __call__(self, rate: float) -> float:
        self.rates.append(rate)
        self._weight -= rate * self._curvature * self._weight
        return 1 + self._curvature / 2 * self._weight**2


@pytest.mark.parametrize("curvature", [1.0, 100.0, 10_000.0])
def test_the_suggestion_lies_below_where_a_bowl_diverges(curvature: float) -> None:
    suggestion = sweep(Bowl(curvature)).suggestion
    assert suggestion is not None
    assert 0.002 / curvature < suggestion < 2 / curvature


def test_the_rate_rises_by_the_same_factor_from_the_lowest_to_the_highest() -> None:
    bowl = Bowl(1e-3)  # too flat to diverge
    curve = sweep(bowl, lowest=1e-4, highest=1.0, steps=5)
    assert bowl.rates == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0])
    assert curve.rates == bowl.rates
    assert not curve.diverged


def test_it_stops_where_the_loss_diverges() -> None:
    bowl = Bowl(100.0)
    curve = sweep(bowl)
    assert curve.diverged
    assert 2 / 100 < bowl.rates[-1] < 0.2
    assert len(bowl.rates) == len(curve.losses) < 200


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_it_and_is_not_in_the_curve(value: float) -> None:
    curve = sweep(lambda rate: value if rate > 1e-3 else 1 - rate)
    assert curve.diverged
    assert all(map(math.isfinite, [*curve.losses, *curve.smoothed]))
    assert max(curve.rates) <= 1e-3
    assert curve.suggestion is not None


def test_where_the_loss_never_falls_nothing_is_suggested() -> None:
    assert sweep(lambda rate: 1 + rate).suggestion is None
    assert sweep(lambda rate: math.nan).suggestion is None


def test_noise_does_not_move_the_suggestion_far() -> None:
    quiet = sweep(Bowl(100.0)).suggestion
    bowl, state = Bowl(100.0), [1]

    def noisy(rate: float) -> float:
        state[0] = state[0] * 16807 % 2147483647
        return bowl(rate) * (1 + 0.02 * (state[0] / 2147483647 - 0.5))

    suggestion = sweep(noisy).suggestion
    assert quiet is not None and suggestion is not None
    assert 0.3 < suggestion / quiet < 3


def test_smoothing_does_not_come_late() -> None:
    curve = sweep(lambda rate: 1.0 if rate < 1e-3 else 0.5)
    middle = next(
        rate for rate, loss in zip(curve.rates, curve.smoothed, strict=True) if loss < 0.75
    )
    assert middle == pytest.approx(1e-3, rel=0.15)
