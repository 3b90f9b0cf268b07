from __future__ import annotations

import collections
import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.artifacts.features import EVAL, SPLITS, TEST, TRAIN
from components.image_example_gen.splits import Unit, assign, small_classes

PARTS = {"train": 8, "eval": 1, "test": 1}


def pictures(label: str, count: int, seed: int = 0, known: str | None = None) -> list[Unit]:
    """One unit per picture of a class."""
    return [Unit(f"{label}/{seed}/{number}", {label: 1}, known) for number in range(count)]


def counts(units: list[Unit], splits: list[str], label: str) -> list[int]:
    """The class's pictures in train, eval and test."""
    found = collections.Counter[str]()
    for unit, split in zip(units, splits, strict=True):
        found[split] += unit.counts.get(label, 0)
    return [found[split] for split in SPLITS]


@pytest.mark.parametrize(
    ("count", "wanted"),
    [
        (3, [1, 1, 1]),
        (4, [2, 1, 1]),
        (7, [5, 1, 1]),
        (10, [8, 1, 1]),
        (15, [12, 1, 2]),
        (30, [24, 3, 3]),
        (1000, [800, 100, 100]),
    ],
)
def test_a_class_of_any_size_is_in_every_split_near_the_wanted_shares(
    count: int, wanted: list[int]
) -> None:
    units = [*pictures("cats", count), *pictures("dogs", 200)]
    assert counts(units, assign(units, PARTS), "cats") == wanted


@pytest.mark.parametrize("seed", range(20))
def test_twenty_draws_of_ten_classes_of_thirty_are_all_cut_as_wanted(seed: int) -> None:
    units = [unit for label in "abcdefghij" for unit in pictures(label, 30, seed)]
    splits = assign(units, PARTS)
    assert all(counts(units, splits, label) == [24, 3, 3] for label in "abcdefghij")


def test_ninety_nine_classes_of_up_to_259_pictures_are_each_in_every_split_from_three_on() -> None:
    sizes = {f"c{number:02}": 1 + number * 258 // 98 for number in range(99)}
    units = [unit for label, count in sizes.items() for unit in pictures(label, count)]
    splits = assign(units, PARTS)
    for label, count in sizes.items():
        found = counts(units, splits, label)
        if count < 3:
            assert found == [count, 0, 0]
        else:
            assert min(found) >= 1
            assert abs(found[0] - 0.8 * count) <= 1.6


def test_classes_of_one_and_two_are_trained_and_named() -> None:
    units = [*pictures("one", 1), *pictures("two", 2), *pictures("three", 3)]
    assert small_classes(units) == {"one": 1, "two": 2}
    assert assign(units, PARTS)[:3] == [TRAIN] * 3


UNITS = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 9), min_size=1, max_size=2), max_size=25
).map(lambda many: [Unit(str(number), counts) for number, counts in enumerate(many)])
SHARES = st.fixed_dictionaries({split: st.integers(1, 20) for split in SPLITS})


@given(UNITS, SHARES, st.randoms())
def test_the_splits_are_a_function_of_the_units_whatever_order_they_come_in(
    units: list[Unit], parts: dict[str, int], chance: random.Random
) -> None:
    found = dict(zip((unit.key for unit in units), assign(units, parts), strict=True))
    mixed = chance.sample(units, len(units))
    assert dict(zip((unit.key for unit in mixed), assign(mixed, parts), strict=True)) == found


@given(UNITS, SHARES, st.lists(st.sampled_from(SPLITS), min_size=25, max_size=25))
def test_what_is_remembered_stays_unless_its_class_is_too_small(
    units: list[Unit], parts: dict[str, int], known: list[str]
) -> None:
    remembered = [
        Unit(unit.key, unit.counts, split)
        for unit, split in zip(units, known[: len(units)], strict=True)
    ]
    small = small_classes(units)
    for unit, split in zip(remembered, assign(remembered, parts), strict=True):
        assert split == (TRAIN if unit.counts.keys() <= small.keys() else unit.known)


def test_over_weeks_no_picture_moves_and_the_shares_stay_near_the_wanted_ones() -> None:
    units: list[Unit] = []
    for week, new in enumerate([30, 1, 4, 25, 3, 60]):
        units = [*units, *pictures("cats", new, week)]
        splits = assign(units, PARTS)
        assert [unit.known for unit in units if unit.known] == splits[: len(units) - new]
        units = [Unit(u.key, u.counts, split) for u, split in zip(units, splits, strict=True)]
        found, whole = counts(units, splits, "cats"), len(units)
        assert abs(found[0] - 0.8 * whole) <= 1.6 and min(found) >= 2
        units = units[5:]  # the window moves on
    assert assign(units, PARTS) == [unit.known for unit in units]


def test_a_new_class_of_four_pictures_is_in_every_split_beside_remembered_ones() -> None:
    old = [*pictures("cats", 20, known=TRAIN), *pictures("cats", 4, 1, known=TEST)]
    units = [*old, *pictures("bird", 4)]
    splits = assign(units, PARTS)
    assert splits[: len(old)] == [unit.known for unit in old]
    assert counts(units, splits, "bird") == [2, 1, 1]


def test_with_too_few_new_pictures_for_all_splits_the_test_comes_before_eval() -> None:
    units = [*pictures("bird", 2, known=TRAIN), *pictures("bird", 1, 1)]
    assert assign(units, PARTS) == [TRAIN, TRAIN, TEST]


def test_a_few_new_pictures_move_few_of_the_old_ones_even_without_memory() -> None:
    old = pictures("cats", 400)
    new = [*old, *pictures("cats", 20, 1)]
    before, after = assign(old, PARTS), assign(new, PARTS)
    moved = sum(one != other for one, other in zip(before, after, strict=False))
    assert moved <= 20


def test_groups_of_several_classes_leave_each_class_in_every_split() -> None:
    chance = random.Random(1)
    for _ in range(50):
        units = [
            Unit(f"patient {number}", {label: chance.randint(1, 9) for label in labels})
            for number, labels in enumerate(
                [["sick"]] * 3 + [["well"]] * 6 + [["sick", "well"]] * 3
            )
        ]
        chance.shuffle(units)
        splits = assign(units, PARTS)
        for label in ("sick", "well"):
            there = {
                split for unit, split in zip(units, splits, strict=True) if label in unit.counts
            }
            assert there == set(SPLITS)


def test_three_groups_of_unequal_size_are_one_to_each_split_with_the_largest_in_train() -> None:
    for order in itertools.permutations([100, 2, 1]):
        units = [Unit(f"group {number}", {"cats": size}) for number, size in enumerate(order)]
        splits = assign(units, PARTS)
        assert set(splits) == set(SPLITS)
        assert splits[order.index(100)] == TRAIN


def test_without_an_eval_split_of_the_source_the_rest_is_cut_in_two() -> None:
    units = pictures("cats", 18)
    given = {"cats": {TEST: 2}}
    assert counts(units, assign(units, {"train": 8, "eval": 1}, given), "cats") == [16, 2, 0]


def test_what_the_source_puts_into_a_split_counts_as_being_there() -> None:
    units = pictures("cats", 3)
    splits = assign(units, PARTS, {"cats": {TEST: 5, EVAL: 5}})
    assert splits == [TRAIN] * 3
