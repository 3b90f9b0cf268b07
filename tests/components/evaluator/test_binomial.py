from __future__ import annotations

import math

import pytest

from components.evaluator.binomial import at_most, is_below


# Upper bounds of Clopper and Pearson's, one-sided 95 %, as in published tables (and
# scipy.stats.beta.ppf(0.95, k + 1, n - k)).
@pytest.mark.parametrize(
    ("right", "pictures", "bound"),
    [
        (0, 1, 0.95),
        (0, 4, 0.52713),
        (0, 10, 0.25887),
        (1, 4, 0.75140),
        (1, 10, 0.39416),
        (5, 10, 0.77756),
        (10, 20, 0.69805),
        (50, 100, 0.58638),
    ],
)
def test_the_bound_is_that_of_clopper_and_pearson(right: int, pictures: int, bound: float) -> None:
    assert not is_below(right, pictures, bound - 1e-4, 0.95)
    assert is_below(right, pictures, bound + 1e-4, 0.95)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.93])
def test_the_chances_are_those_of_the_binomial_distribution(rate: float) -> None:
    for right in range(13):
        plain = sum(math.comb(12, k) * rate**k * (1 - rate) ** (12 - k) for k in range(right + 1))
        assert at_most(right, 12, rate) == pytest.approx(plain, rel=1e-9)


def test_a_hundred_thousand_pictures_overflow_nothing() -> None:
    assert at_most(50_000, 100_000, 0.5) == pytest.approx(0.50126, abs=1e-4)
    assert at_most(0, 100_000, 0.5) == 0.0


def test_the_ends_are_certain() -> None:
    assert at_most(3, 3, 0.2) == 1.0
    assert at_most(2, 3, 1.0) == 0.0
    assert at_most(0, 3, 0.0) == 1.0
    assert not is_below(0, 0, 0.5, 0.95)
