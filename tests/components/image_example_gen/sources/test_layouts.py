from __future__ import annotations

from pathlib import Path

import pytest

from components import files
from components.errors import DataError
from components.files.entries import Entry, Tree
from components.image_example_gen.sources.layouts import read_folders
from tests import made_pictures
from tests.explains import refused


def tree(*names: str) -> Tree:
    """A tree of these files, and of folders where a name ends with a slash."""
    files = [Entry(f"/x/{name}", name, 1, 1) for name in names if not name.endswith("/")]
    folders = {
        "/".join(parts[:depth])
        for parts in (name.split("/") for name in names)
        for depth in range(1, len(parts))
    }
    return Tree(files, sorted(folders))


def found(*names: str) -> list[tuple[str | None, str, str]]:
    return [(file.split, file.label, file.below) for file in read_folders(tree(*names)).files]


def test_a_folder_per_class_at_any_depth_with_any_case_of_suffix() -> None:
    names = ["cats/1.JPG", "cats/a/b/2.Png", "dogs/3.webp", "birds/"]
    assert found(*names) == [
        (None, "cats", "1.JPG"),
        (None, "cats", "a/b/2.Png"),
        (None, "dogs", "3.webp"),
    ]
    assert read_folders(tree(*names)).classes == ["birds", "cats", "dogs"]


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("training", "train"),
        ("Validation", "eval"),
        ("VALID", "eval"),
        ("val", "eval"),
        ("eval", "eval"),
        ("Test", "test"),
        ("testing", "test"),
    ],
)
def test_folders_named_like_splits_are_splits(folder: str, split: str) -> None:
    assert found("Train/cats/1.png", f"{folder}/dogs/x/2.png") == [
        ("train", "cats", "1.png"),
        (split, "dogs", "x/2.png"),
    ]


def test_names_keep_the_split_so_that_they_stay_unique() -> None:
    listing = read_folders(tree("train/cats/1.png", "test/cats/1.png"))
    assert [file.name for file in listing.files] == ["train/cats/1.png", "test/cats/1.png"]
    assert listing.classes == ["cats"]


def test_a_train_folder_alone_is_a_split() -> None:
    assert found("train/cats/1.png", "train/dogs/2.png") == [
        ("train", "cats", "1.png"),
        ("train", "dogs", "2.png"),
    ]


def test_what_lies_beside_splits_or_in_no_class_folder_is_ignored_and_said() -> None:
    listing = read_folders(tree("train/cats/1.png", "test/2.png", "extra/cats/3.png", "4.png"))
    assert [file.name for file in listing.files] == ["train/cats/1.png"]
    assert (listing.ignored, listing.classes) == (3, ["cats"])
    assert listing.notes == ["extra beside the splits: not read."]


@pytest.mark.parametrize(
    "names",
    [
        ("train/1.png", "cars/2.png"),
        ("train/steam/1.png", "cars/old/2.png"),
        ("train/1.png", "train/steam/2.png", "test/3.png", "cars/4.png"),
    ],
)
def test_classes_may_be_called_like_splits(names: tuple[str, ...]) -> None:
    assert {label for _, label, _ in found(*names)} == {name.split("/")[0] for name in names}


def test_splits_without_class_folders_are_not_taken_for_classes() -> None:
    listing = read_folders(tree("train/cat.1.jpg", "test/2.jpg"))
    assert (listing.files, listing.classes, listing.ignored) == ([], [], 2)


def test_what_is_hidden_or_has_no_suffix_of_a_picture_is_ignored() -> None:
    listing = read_folders(tree("cats/.1.png", "cats/Thumbs.db", "cats/png", "cats/1.png.txt"))
    assert (listing.files, listing.ignored) == ([], 4)


def test_splits_in_the_class_folders_are_read_as_splits_and_told() -> None:
    names = ["cats/train/1.png", "cats/Test/a/2.png", "dogs/train/3.png", "dogs/val/4.png", "x.png"]
    assert found(*names) == [
        ("train", "cats", "1.png"),
        ("test", "cats", "a/2.png"),
        ("train", "dogs", "3.png"),
        ("eval", "dogs", "4.png"),
    ]
    listing = read_folders(tree(*names))
    assert (listing.classes, listing.ignored) == (["cats", "dogs"], 1)
    assert listing.notes == ["The class folders hold Test, train, val: read as splits."]


@pytest.mark.parametrize(
    "names",
    [
        ["cats/test/1.png", "cats/2.png", "dogs/3.png"],  # a batch that is called so
        ["cats/train/1.png", "cats/may/2.png", "dogs/3.png"],
        ["trains/test/1.png", "planes/test/2.png"],  # no train
        ["cats/train/1.png", "dogs/train/2.png"],
    ],
)
def test_a_class_folder_that_holds_more_than_splits_is_a_class_of_any_depth(
    names: list[str],
) -> None:
    assert {split for split, _, _ in found(*names)} == {None}


def test_splits_in_some_class_folders_alone_are_refused_in_words() -> None:
    with refused(
        DataError,
        found=r"cats/test, cats/train look like splits.*dogs, eels have",
        allowed="every class folder or into none",
        next="Put such folders|use <split>/<class>/<picture>",
    ):
        found("cats/train/1.png", "cats/test/2.png", "dogs/3.png", "eels/a/4.png")


def test_a_class_folder_behind_a_link_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    made_pictures.make(tmp_path, 2)
    before = read_folders(files.view("").tree(str(tmp_path)))
    (tmp_path / "blue-1").symlink_to(tmp_path / "not-mounted")
    (tmp_path / "red" / "gone.png").symlink_to(tmp_path / "not-mounted" / "1.png")
    found = read_folders(files.view("").tree(str(tmp_path)))
    assert len(found.files) == len(before.files) + 1 and found.classes == before.classes
    [note] = found.notes
    assert "1 link leads nowhere: blue-1." in note and "not mounted" in note
