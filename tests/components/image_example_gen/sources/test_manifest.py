from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.errors import ConfigError, DataError
from components.image_example_gen.sources.listing import SourceFile
from components.image_example_gen.sources.manifest import read_manifest


def read(folder: Path, text: str | bytes) -> list[SourceFile]:
    path = folder / "pictures.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_manifest(str(path)).files


def test_a_row_names_a_picture_relative_to_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"123")
    [file] = read(tmp_path, "path,label\na/./1.png,cats\n")
    assert (file.path, file.name) == (str(tmp_path / "a" / "1.png"), "a/1.png")
    assert (file.label, file.size, file.split, file.group) == ("cats", 3, None, None)
    assert file.modified == (tmp_path / "a" / "1.png").stat().st_mtime_ns


def test_split_and_group_are_read_where_they_are_named(tmp_path: Path) -> None:
    text = "group,split,path,label,note\np7,Validation,1.png,cats,x\n,,2.png,cats,\n"
    first, second = read(tmp_path, text)
    assert (first.split, first.group) == ("eval", "p7")
    assert (second.split, second.group) == (None, None)


def test_further_columns_go_along_and_are_part_of_the_fingerprint(tmp_path: Path) -> None:
    text = "camera,path,label,site\nC 1,1.png,cats,north\n,2.png,cats,\n"
    first, second = read(tmp_path, text)
    assert first.columns == (("camera", "C 1"), ("site", "north"))
    assert second.columns == ()
    assert SourceFile.of_row(json.loads(json.dumps(first.as_row()))) == first
    before = read_manifest(str(tmp_path / "pictures.csv")).fingerprint()
    read(tmp_path, text.replace("north", "south"))
    assert read_manifest(str(tmp_path / "pictures.csv")).fingerprint() != before


def test_spreadsheets_write_marks_line_ends_and_quotes_of_their_own(tmp_path: Path) -> None:
    text = '\ufeffPath, Label\r\n"a, b.png", cats\r\n\r\nc.png,"wild\r\ncats"\r\n'
    found = [(file.name, file.label) for file in read(tmp_path, text)]
    assert found == [("a, b.png", "cats"), ("c.png", "wild\r\ncats")]


def test_an_absolute_path_may_lie_elsewhere(tmp_path: Path) -> None:
    inside, outside = read(tmp_path, f"path,label\n{tmp_path}/1.png,cats\n/nowhere/2.png,cats\n")
    assert (inside.name, outside.name) == ("1.png", "/nowhere/2.png")


def test_a_picture_that_is_not_there_is_listed_so_that_it_is_told_among_the_rejected(
    tmp_path: Path,
) -> None:
    [file] = read(tmp_path, "path,label\ngone.png,cats\n")
    assert (file.size, file.modified) == (0, 0)


def test_one_picture_may_have_two_labels_and_a_repeated_row_counts_once(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("path,label\n1.png,cats\n1.png,dogs\n1.png,cats\n")
    listing = read_manifest(str(path))
    assert [(file.name, file.label) for file in listing.files] == [
        ("1.png", "cats"),
        ("1.png", "dogs"),
    ]
    assert (listing.ignored, listing.notes) == (1, [f"{path}: 1 rows repeat another."])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: no column path and no column label; found nothing"),
        ("file,label\n", "line 1: no column path; found file, label"),
        ("path;label\na;b\n", "found path;label"),
        ("path,label\na.png,cats\nb.png,\n", "line 3: empty label"),
        ("path,label\na.png\n", "line 2: empty label"),
        ("path,label\n ,cats\n", "line 2: empty path"),
        ("path,label,split\na.png,cats,dev\n", "line 2: unknown split 'dev'; allowed are train,"),
        ("path,label\n\n../a.png,cats\n", "line 3: '../a.png' leaves the manifest's folder"),
        ("path,label\na/../../b.png,cats\n", "line 2: .* leaves the manifest's folder"),
        (
            "path,label,split\na,b,test\na,b,train\n",
            "line 3: another split, group or column than in line",
        ),
        (f"path,label\n{'a' * 200_000},cats\n", "pictures.csv, line 2: field larger than"),
        ("path,label\n" + "a,\n" * 12, "line 11: empty label\n  and 2 more"),
        (b"path,label\ncaf\xe9.png,cats\n", "is not UTF-8"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read(tmp_path, text)


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none.csv can't be read .No such file"):
        read_manifest(str(tmp_path / "none.csv"))
