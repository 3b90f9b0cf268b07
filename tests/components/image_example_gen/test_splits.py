from __future__ import annotations

import collections

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.features import SPLITS
from components.image_example_gen.splits import split_of
from components.settings.data import Splits

PARTS = st.builds(
    Splits, train=st.integers(1, 50), eval=st.integers(1, 50), test=st.integers(1, 50)
)


@given(st.text(), PARTS)
def test_the_split_depends_on_the_key_and_the_parts_alone(text: str, parts: Splits) -> None:
    assert split_of(text, parts) in SPLITS
    assert split_of(text, parts) == split_of(str(text), parts.model_copy())


def test_the_split_of_a_key_never_changes() -> None:
    # A test picture of yesterday must not be a training picture of today.
    found = [split_of(name, Splits()) for name in ("b", "c", "hello", "")]
    assert found == ["train", "eval", "train", "test"]


@pytest.mark.parametrize(
    "parts",
    [Splits(), Splits(train=7, eval=1, test=2), Splits(train=1, eval=1, test=1)],
)
def test_ten_thousand_keys_are_split_in_proportion(parts: Splits) -> None:
    found = collections.Counter(split_of(f"{number:064x}", parts) for number in range(10_000))
    whole = parts.train + parts.eval + parts.test
    for split in SPLITS:
        assert found[split] / 10_000 == pytest.approx(getattr(parts, split) / whole, abs=0.015)
