from __future__ import annotations

import os
from pathlib import Path

import pytest

from components.errors import DataError
from components.image_example_gen.sources import scan
from components.image_example_gen.sources.class_names import unified
from components.image_example_gen.sources.listing import Listing, SourceFile
from components.settings.data import Data
from tests import made_pictures
from tests.explains import refused


def listing(*labels: str) -> Listing:
    files = [SourceFile(f"/{n}", f"{n}", label, 1, 1) for n, label in enumerate(labels)]
    return Listing(files, sorted({*labels}), 0)


def test_two_forms_of_unicode_are_one_class() -> None:
    found = unified(listing("é", "e\u0301", "x"), allow_similar=False)
    assert [file.label for file in found.files] == ["é", "é", "x"]
    assert found.classes == ["x", "é"]
    assert found.notes == ["1 class names are spelled in two forms of Unicode: read as one (NFC)."]


@pytest.mark.parametrize(
    ("one", "other", "by"),
    [
        ("Cat", "cat", "case"),
        ("cat ", "cat", "spaces"),
        ("hot dog", "hot\u00a0dog", "spaces"),
        ("ｃａｔ", "cat", "width"),
        ("ca\u200bt", "cat", "invisible characters"),
        ("❤\ufe0f", "❤", "invisible characters"),
        ("Cat ", "cat", "spaces and case"),
    ],
)
def test_names_that_look_like_one_stop_the_run_unless_allowed(
    one: str, other: str, by: str
) -> None:
    with refused(
        DataError,
        found=f"differ by {by} only",
        allowed="Where they are one class, give them one name",
        next="Where they are several, set data.similar_class_names=allow",
    ) as told:
        unified(listing(one, other, "dog"), allow_similar=False)
    assert "\u200b" not in str(told.value)
    allowed = unified(listing(one, other, "dog"), allow_similar=True)
    assert set(allowed.classes) == {one, other, "dog"}
    assert f"differ by {by} only" in allowed.notes[0]


def test_of_several_names_every_difference_is_told_each_sign_escaped_once() -> None:
    names = ["Cat", "cat ", "ca\u200bt", "ｃat", "caT", "cAt", "dog"]
    [said] = unified(listing(*names), allow_similar=True).notes
    assert r"'ca\u200bt'" in said and r"\\u200b" not in said
    assert said.endswith(
        "and 1 more differ by invisible characters and width and spaces and case only."
    )


def test_of_many_such_names_ten_are_noted_and_the_rest_counted() -> None:
    names = [name for number in range(14) for name in (f"k{number}", f"K{number}")]
    notes = unified(listing(*names), allow_similar=True).notes
    assert len(notes) == 11 and notes[-1] == "4 more groups of class names look like one."


@pytest.mark.parametrize(
    "names",
    [
        ("m2", "m²"),
        ("1-1", "11"),
        ("Maße", "Masse"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f4\U000e0077\U000e007f"),
    ],
)
def test_names_that_can_be_told_apart_are_classes_of_their_own(names: tuple[str, ...]) -> None:
    assert unified(listing(*names), allow_similar=False).classes == sorted(names)


def test_of_many_names_that_look_alike_ten_lines_are_shown() -> None:
    names = [name for n in range(15) for name in (f"c{n}x", f"C{n}x")]
    with refused(
        DataError, found="and 5 more", allowed="Where they are one class", next="give them one name"
    ) as told:
        unified(listing(*names), allow_similar=False)
    assert len(str(told.value).splitlines()) == 13


def test_a_class_folder_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    made_pictures.make(tmp_path / "pictures", 3)
    os.mkdir(os.fsencode(tmp_path) + b"/pictures/caf\xe9")
    with refused(
        DataError,
        found=r"class folder caf\\udce9 has a name",
        allowed="not UTF-8 .*every client shows them",
        next="Rename it",
    ):
        scan(Data(source=str(tmp_path / "pictures")))


def test_a_folder_below_a_class_may_be_called_anything(tmp_path: Path) -> None:
    made_pictures.make(tmp_path / "pictures", 3)
    os.mkdir(os.fsencode(tmp_path) + b"/pictures/red/caf\xe9")
    assert len(scan(Data(source=str(tmp_path / "pictures"))).files) == 9
