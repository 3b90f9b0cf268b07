from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from components.artifacts.features import SPLITS
from components.errors import DataError
from components.image_example_gen.sources.listing import (
    Listing,
    SourceFile,
    merge,
    with_missing_splits_cut,
)
from tests.explains import refused

FILE = SourceFile("/x/cats/1.png", "cats/1.png", "cats", 1, 1)


def listing(*splits: str | None) -> Listing:
    files = [
        dataclasses.replace(FILE, name=f"{number}", split=split)
        for number, split in enumerate(splits)
    ]
    return Listing(files, ["cats"], 0)


def places(found: Listing) -> list[tuple[str, ...]]:
    return [(file.split,) if file.split else file.among for file in found.files]


@pytest.mark.parametrize(
    ("given", "missing"),
    [(["test"], ["eval"]), (["eval"], ["test"]), ([], ["eval", "test"])],
)
def test_missing_splits_are_cut_out_of_train_and_said(given: list[str], missing: list[str]) -> None:
    found = with_missing_splits_cut(listing("train", *given))
    assert places(found) == [("train", *missing), *((split,) for split in given)]
    words = " and no ".join(missing)
    assert found.notes == [f"The source gives no {words} split: cut out of train."]


@pytest.mark.parametrize("splits", [SPLITS, (None, None), ("train", None), ()])
def test_nothing_is_cut_where_no_split_is_missing(splits: tuple[str | None, ...]) -> None:
    assert with_missing_splits_cut(listing(*splits)) == listing(*splits)


def test_without_train_there_is_nothing_to_cut_from() -> None:
    with refused(
        DataError,
        found="eval, test given",
        allowed="no train split",
        next="Add a folder `train`",
    ):
        with_missing_splits_cut(listing("test", "eval"))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "cats/2.png"},
        {"label": "dogs"},
        {"size": 2},
        {"modified": 2},
        {"modified": "checksum"},
        {"split": "test"},
        {"group": "p7"},
        {"among": ("train", "test")},
    ],
)
def test_whatever_decides_what_is_read_is_in_the_fingerprint(change: dict[str, Any]) -> None:
    changed = Listing([dataclasses.replace(FILE, **change)], ["cats"], 0)
    assert changed.fingerprint() != Listing([FILE], ["cats"], 0).fingerprint()


def test_where_the_files_lie_is_not_in_the_fingerprint() -> None:
    moved = Listing([dataclasses.replace(FILE, path="/y/1.png")], ["cats"], 3)
    assert moved.fingerprint() == Listing([FILE], ["cats"], 0).fingerprint()


def test_merged_names_begin_with_their_listing() -> None:
    one = Listing([FILE], ["cats"], 1, ["first"])
    other = Listing([dataclasses.replace(FILE, label="dogs")], ["dogs"], 2, ["second"])
    both = merge({"b/": one, "a/": other})
    assert [file.name for file in both.files] == ["a/cats/1.png", "b/cats/1.png"]
    assert (both.classes, both.ignored, both.notes) == (["cats", "dogs"], 3, ["first", "second"])
