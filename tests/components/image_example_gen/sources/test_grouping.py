from __future__ import annotations

import dataclasses
import unicodedata

import pytest

from components.errors import DataError
from components.image_example_gen.sources.grouping import with_groups
from components.image_example_gen.sources.listing import Listing, SourceFile
from tests.explains import refused


def file(name: str, group: str | None = None, split: str | None = None) -> SourceFile:
    label, _, below = name.partition("/")
    return SourceFile(f"/x/{name}", name, label, 1, 1, split, group, below=below)


def grouped(*files: SourceFile, group_by: str | None = None) -> Listing:
    return with_groups(Listing(list(files), ["cats"], 0, ["a note"]), group_by)


def group(name: str, group_by: str) -> str | None:
    return grouped(file(name), group_by=group_by).files[0].group


def test_without_an_expression_only_the_source_names_groups() -> None:
    found = grouped(file("cats/1.png"), file("cats/2.png", "p7"))
    assert [each.group for each in found.files] == [None, "p7"]
    assert found.notes == ["a note"]


@pytest.mark.parametrize("name", ["cats/patient7_1.png", "dogs/2024/patient7_22.png"])
def test_what_the_expression_matches_is_the_group(name: str) -> None:
    assert group(name, r"patient\d+") == "patient7"


def test_the_first_group_of_the_expression_names_the_group() -> None:
    assert group("cats/patient7_1.png", r"patient(\d+)_(\d+)") == "7"


def test_a_first_group_that_takes_no_part_leaves_the_whole_match() -> None:
    assert group("cats/visit3.png", r"(patient\d+)?visit\d") == "visit3"


def test_the_expression_is_matched_below_the_class_folder() -> None:
    assert group("cats/module9/a.png", r"^[^/]+") == "module9"
    with refused(
        DataError,
        found="none of 1 paths, of which the first is a.png",
        allowed="matched against the path below the class folder",
        next="Correct the expression",
    ):
        group("cats7/a.png", r"\d+")


def test_a_group_that_the_source_names_comes_first() -> None:
    found = grouped(file("cats/v1.png", "p7"), file("cats/v2.png"), group_by=r"v\d")
    assert [each.group for each in found.files] == ["p7", "v2"]


def test_an_expression_that_matches_nothing_is_refused() -> None:
    words = {"allowed": "against the path below the class", "next": "Correct the expression"}
    with refused(DataError, found=r"data.group_by: modul\\d matches none of 2 paths", **words):
        grouped(file("cats/1.png"), file("cats/2.png"), group_by=r"modul\d")
    with refused(DataError, found="matches none", **words):  # all would be one group
        grouped(file("cats/1.png"), file("cats/2.png"), group_by="x*")


def test_pictures_in_no_group_are_counted_and_go_by_their_content() -> None:
    found = grouped(file("cats/p1.png"), file("cats/other.png"), group_by=r"p\d")
    assert [each.group for each in found.files] == ["p1", None]
    assert found.notes[1].startswith("1 of 2 pictures are in no group by data.group_by")
    assert found.notes[1].endswith("as other.png.")


def test_it_may_name_a_column_of_the_manifest() -> None:
    first, second = (
        dataclasses.replace(file(name, "old"), columns=columns)
        for name, columns in (("cats/patient.png", (("patient", "7"),)), ("cats/2.png", ()))
    )
    found = grouped(first, second, group_by="Patient")
    assert [each.group for each in found.files] == ["7", None]
    assert "1 of 2 pictures are in no group" in found.notes[1]
    assert [each.group for each in grouped(first, group_by="group").files] == ["old"]


def test_a_picture_without_a_split_follows_its_group() -> None:
    found = grouped(
        file("cats/1.png", "p1"), file("cats/2.png", "p1", "test"), file("cats/3.png", "p2")
    )
    assert [each.split for each in found.files] == ["test", "test", None]


def test_a_group_that_the_source_puts_into_two_splits_is_refused() -> None:
    words = {"allowed": "Put each group into one split", "next": "or leave the splits out"}
    with refused(DataError, found="'p1': cats/1.png in train, cats/2.png in test", **words):
        grouped(file("cats/1.png", "p1", "train"), file("cats/2.png", "p1", "test"))
    with refused(DataError, found="'7': cats/7a.png in train, cats/7b.png in eval", **words):
        grouped(
            file("cats/7a.png", split="train"), file("cats/7b.png", split="eval"), group_by=r"\d"
        )


def test_a_group_in_two_forms_of_unicode_is_one() -> None:
    names = (unicodedata.normalize(form, "dogs/josé_1.png") for form in ("NFC", "NFD"))
    assert {group(name, r"[^_]+") for name in names} == {"josé"}
