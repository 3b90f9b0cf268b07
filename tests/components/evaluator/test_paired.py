from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from components.evaluator.paired import Pairs


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_p_value_is_the_two_sided_binomial_tests(gained: int, lost: int) -> None:
    found = Pairs(1000, gained, lost).p_value
    expected = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert found == pytest.approx(expected, rel=1e-9)


def test_many_disputed_pictures_are_no_trouble() -> None:
    assert Pairs(100_000, 15_000, 15_300).p_value == pytest.approx(
        stats.binomtest(15_000, 30_300).pvalue
    )
    assert Pairs(100_000, 0, 30_000).p_value == 0.0


def test_the_pictures_needed_are_those_of_connors_formula() -> None:
    # Disputed 0.4, difference 0.2, power 0.8, level 0.05 two-sided, by Connor's formula:
    # (1.95996 sqrt(0.4) + 0.84162 sqrt(0.4 - 0.04))^2 / 0.04 = 76.1.
    assert Pairs(100, 30, 10).pictures_needed(0.95) == 77
    assert Pairs(1000, 300, 100).pictures_needed(0.95) == 77
    assert Pairs(100, 10, 10).pictures_needed(0.95) is None


@given(st.integers(1, 50), st.integers(0, 49))
def test_a_smaller_difference_takes_more_pictures(gained: int, lost: int) -> None:
    if gained > lost + 1:
        near, far = Pairs(100, gained - 1, lost + 1), Pairs(100, gained, lost)
        if near.gained > near.lost:
            needed = near.pictures_needed(0.95), far.pictures_needed(0.95)
            assert needed[0] is not None and needed[1] is not None and needed[0] > needed[1]
