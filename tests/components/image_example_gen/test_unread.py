from __future__ import annotations

from components.image_example_gen.sources import Listing, SourceFile
from components.image_example_gen.sources.unread import by_suffix, count, sentences
from components.image_example_gen.unread import notes
from components.image_example_gen.verdicts import Row


def files(label: str, suffix: str, number: int) -> list[SourceFile]:
    names = [f"{label}/{at}{suffix}" for at in range(number)]
    return [SourceFile(name, name, label, 1, 1) for name in names]


def rejected(*some: SourceFile) -> list[Row]:
    return [{"file": file.name, "label": file.label, "reason": "x"} for file in some]


def test_formats_that_are_not_read_are_counted_by_class_and_suffix() -> None:
    names = [
        ("cat", "1.JXL"),
        ("cat", "2.jxl"),
        ("dog", "3.jxl"),
        ("dog", "x.txt"),
        ("dog", "1.png"),
    ]
    assert count(names) == {"cat": {".jxl": 2}, "dog": {".jxl": 1}}
    [said] = sentences(by_suffix(count(names)))
    assert "not read: 3 .jxl (.jxl is JPEG XL)." in said
    assert sentences(by_suffix({})) == []


def test_a_class_most_of_whose_files_were_not_read_is_named() -> None:
    listing = Listing(
        files("cat", ".png", 20) + files("dog", ".png", 20), ["cat", "dog"], 23, [],
        {"cat": {".jxl": 21}, "dog": {".jxl": 2}},
    )  # fmt: skip
    assert [*notes(listing, [])][1:] == ["Most of class 'cat' (21 of 41 files) was not read."]
    lost = rejected(*files("dog", ".png", 10))
    both = "Most of classes 'cat' (21 of 41 files), 'dog' (12 of 22 files) was not read."
    assert [*notes(listing, lost)][1:] == [both]


def test_many_such_classes_are_one_sentence_that_names_ten() -> None:
    labels = [f"\x1b{number:02}" for number in range(14)]
    listing = Listing([], labels, 14, [], {label: {".jxl": 1} for label in labels})
    [_, said] = notes(listing, [])
    assert said.startswith(r"Most of classes '\x1b00'")
    assert "'\\x1b09'" in said and "'\\x1b10'" not in said and "4 more" in said


def test_a_suffix_of_which_no_file_could_be_read_is_named_with_its_count() -> None:
    png, avif = files("cat", ".png", 20), files("cat", ".AVIF", 3)
    listing = Listing(png + avif, ["cat"], 0)
    [said] = notes(listing, rejected(*avif, png[0]))
    assert said == (
        "Pictures that were not read: 3 .avif. They are damaged, or not what their names say."
    )
