from __future__ import annotations

import collections

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.features import SPLITS
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.splits import split_key, split_of
from components.settings.data import Data, Splits

PARTS = st.builds(
    Splits, train=st.integers(1, 50), eval=st.integers(1, 50), test=st.integers(1, 50)
)


def key(name: str, group_by: str | None, content: str = "sha") -> str:
    label, _, below = name.partition("/")
    file = SourceFile(f"/x/{name}", name, label, 1, 1, below=below)
    return split_key(file, content, Data(source="/x", group_by=group_by))


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


def test_without_a_group_equal_contents_share_their_split() -> None:
    assert key("cats/1.png", None, "same") == key("dogs/2.png", None, "same")
    assert key("cats/1.png", None, "one") != key("cats/1.png", None, "other")


@given(st.text(alphabet="0123456789abcdef", min_size=64, max_size=64), st.integers(0, 99))
def test_a_group_is_never_split(content: str, picture: int) -> None:
    names = (f"cats/patient7_{picture}.png", f"dogs/2024/patient7_{picture + 1}.png")
    keys = {key(name, r"patient\d+", content) for name in names}
    assert keys == {"patient7"}


def test_the_first_group_of_the_expression_names_the_group() -> None:
    assert key("cats/patient7_1.png", r"patient(\d+)_(\d+)") == "7"


def test_a_first_group_that_takes_no_part_leaves_the_whole_match() -> None:
    assert key("cats/visit3.png", r"(patient\d+)?visit\d") == "visit3"


def test_the_expression_is_matched_below_the_class_folder() -> None:
    assert key("cats/module9/a.png", r"^[^/]+") == "module9"
    assert key("cats7/a.png", r"\d+", "sha") == "sha"


def test_a_picture_without_a_group_goes_by_its_content() -> None:
    assert key("cats/other.png", r"patient\d+", "sha") == "sha"
