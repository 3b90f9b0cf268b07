"""Says in sentences how the pictures were split. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from components.artifacts.features import SPLITS, TEST, TRAIN
from components.image_example_gen.ledger import Ledger
from serving.names import shown, some

_NAMED = 10  # classes or pictures in one sentence

MOST_ALIKE = 0.05
"""The share of near-duplicates in test from which the accuracy says another thing than it seems."""

_TOLD_FROM = 5
"""Test pictures with which the gate can refuse a class at its default thresholds: a model that is
right half of the time misses all of four by chance more often than once in twenty."""


def notes(ledger: Ledger, listed: list[str]) -> Iterator[str]:
    """Yields a sentence for each kind of thing that is unusual.

    Args:
      ledger: the verdict on every file.
      listed: the classes that the source names.
    """
    classes = ledger.classes(listed)
    counts = ledger.counts(classes)
    out = {row["label"] for row in ledger.left_out}
    if empty := [name for name in listed if name not in classes and name not in out]:
        yield f"No class, since none of its pictures can be used: {_some(empty)}."
    if left_out := [f"{name} ({ledger.small[name]})" for name in listed if name in out]:
        yield (
            f"Left out by data.small_classes, with under three pictures (or groups): "
            f"{_some(left_out)}."
        )
    small = [f"{name} ({ledger.small[name]})" for name in classes if name in ledger.small]
    if small:
        yield (
            f"Too small to be split, with under three pictures (or groups): {_some(small)}. "
            "data.small_classes=leave_out leaves them out."
        )
    few = [
        f"{name} ({counts[TEST][name]} of {sum(counts[split][name] for split in SPLITS)})"
        for name in classes
        if counts[TEST][name] < _TOLD_FROM
    ]
    if few:
        yield (
            f"Too small to be judged, with under {_TOLD_FROM} pictures in test: {_some(few)}. The "
            "gate passes a class of which it can't tell, with a note; gate.strict=true does not."
        )
    lacking = [
        f"{name} in {split}"
        for split in SPLITS
        for name in classes
        if not counts[split][name] and name not in ledger.small
    ]
    if lacking:
        yield f"No picture of {_some(lacking)}."
    if ledger.moved:
        yield _moved(ledger)


def alike(near: dict[str, Any], test_pictures: int) -> Iterator[str]:
    """Yields what the accuracy is worth where many test pictures look like known ones.

    Args:
      near: as `near_duplicates.across_splits` returns it.
      test_pictures: how many there are.
    """
    if near["in_test"] > MOST_ALIKE * test_pictures:
        yield (
            f"{near['in_test']} of {test_pictures} test pictures look like one of train or eval: "
            "the accuracy tells how well those are known again, and not how well new pictures "
            "will be. data.group_by=near_duplicates keeps pictures that look alike in one split."
        )


def _moved(ledger: Ledger) -> str:
    shown = [f"{moved.file} ({moved.before} to {moved.now})" for moved in ledger.moved]
    known = sum(moved.before == TRAIN for moved in ledger.moved)
    seen = f" {known} of them were trained on before: the source puts them there." if known else ""
    return (
        f"{len(shown)} picture{'s' if len(shown) > 1 else ''} moved to another split, since the "
        f"source or the group asks for it: {_some(shown)}.{seen}"
    )


def _some(names: list[str]) -> str:
    return some(map(shown, names), _NAMED)
