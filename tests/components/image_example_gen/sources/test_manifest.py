from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from PIL import Image

from components import packed
from components.errors import ConfigError, DataError
from components.image_example_gen import reading
from components.image_example_gen.sources import scan
from components.image_example_gen.sources.listing import SourceFile
from components.image_example_gen.sources.manifest import read_manifest
from components.settings.data import Columns, Data
from tests.explains import refused


def read(folder: Path, text: str | bytes) -> Sequence[SourceFile]:
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


@pytest.mark.parametrize("few", [16, 100_000])
def test_rows_of_one_picture_are_found_wherever_they_stand(
    tmp_path: Path, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "_FEW", few)
    monkeypatch.setattr(packed, "_BLOCK", 4)
    rows = [f"{at % 90}.png,{'cats' if at % 30 else 'dogs'},{at}\n" for at in range(180)]
    rows[130] = rows[130].replace("cats", "dogs")  # of 40.png, as row 40
    listing = read_manifest(written(tmp_path, "path,label,note\n" + "".join(rows)))
    assert [file.name for file in listing.files] == sorted(f"{at}.png" for at in range(90))
    assert {file.name: file.other_labels for file in listing.files if file.other_labels} == {
        "40.png": ("dogs",)
    }
    assert listing.ignored == 89
    assert "as of 0.png, differ in note" in listing.notes[0]
    rows += ["7.png,cats,\n"]
    text = "".join(f"train,{row}" for row in rows).replace("train,9.png", "test,9.png", 1)
    with refused(
        DataError,
        found=r"line 101: another split \(train\) than in line 11",
        allowed="A picture has one of each",
        next="correct those lines",
    ):
        read_manifest(written(tmp_path, "split,path,label,note\n" + text))


def written(folder: Path, text: str) -> str:
    path = folder / "pictures.csv"
    path.write_text(text)
    return str(path)


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
    outside, inside = read(tmp_path, f"path,label\n{tmp_path}/1.png,cats\n/nowhere/2.png,cats\n")
    assert (inside.name, outside.name) == ("1.png", "/nowhere/2.png")


def test_a_picture_that_is_not_there_is_listed_so_that_it_is_told_among_the_rejected(
    tmp_path: Path,
) -> None:
    [file] = read(tmp_path, "path,label\ngone.png,cats\n")
    assert (file.size, file.modified) == (0, 0)


def test_one_picture_with_two_labels_is_one_file_and_a_repeated_row_counts_once(
    tmp_path: Path,
) -> None:
    path = tmp_path / "m.csv"
    path.write_text("path,label\n1.png,cats\n1.png,pets\n1.png,cats\n2.png,cats\n")
    listing = read_manifest(str(path))
    found = [(file.name, file.label, file.other_labels) for file in listing.files]
    assert found == [("1.png", "cats", ("pets",)), ("2.png", "cats", ())]
    assert listing.classes == ["cats"]  # what nothing but a contradiction names is no class
    assert (listing.ignored, listing.notes) == (1, [f"{path}: 1 rows repeat another."])
    Image.new("RGB", (8, 8)).save(tmp_path / "1.png")
    _, row = reading.read(listing.files[0], Data(source=str(path)))
    assert row["reason"] == "same picture under two labels: 1.png is labelled 'cats' and 'pets'"


def test_several_labels_as_a_rule_are_refused_in_words(tmp_path: Path) -> None:
    rows = "".join(f"{n}.png,cats\n{n}.png,old\n" for n in range(5))
    with refused(
        DataError,
        found="5 of 5 pictures have several labels, as 0.png",
        allowed="a picture is of one class",
        next="Give each one row",
    ):
        read(tmp_path, f"path,label\n{rows}")


def test_labels_that_are_joined_are_told_to_be_one_class_each(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("path,label\n1.png,cat\n2.png,cat|dog\n3.png,dog\n4.png,a;b\n")
    [note] = read_manifest(str(path)).notes
    assert "1 labels as 'cat|dog' are each read as one class: several labels" in note


HEADERS = [
    ("class id,filepaths,labels", {}),
    ("ImagePath\tClassName", {}),
    ("filename;class", {}),
    ("Image Path\tCategory", {}),
    ("label,id", {"path": "ID"}),
    ("where|what", {"path": "where", "label": "What"}),
    ("\ufefffile_name,note,label_name", {}),
    ("sep=;\nfile;target", {}),
]


@pytest.mark.parametrize(("header", "columns"), HEADERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp1252"])
def test_a_manifest_is_read_as_programs_export_it(
    tmp_path: Path, header: str, columns: dict[str, str], encoding: str
) -> None:
    header = header if encoding.startswith("utf") else header.removeprefix("\ufeff")
    *before, names = header.split("\n")
    separator = next(sign for sign in ";\t,|" if sign in names)
    values = {"path": "sub/é,1.png", "label": "Kätzchen", "note": ""}
    role_of = {"what": "label", "id": "path", "where": "path", "note": "note", "class id": "note"}
    known = {"class", "category", "label", "label_name", "target", "labels", "classname"}
    cells = [
        values[role_of.get(name, "label" if name in known else "path")]
        for name in names.lower().removeprefix("\ufeff").split(separator)
    ]
    row = separator.join(f'"{cell}"' for cell in cells)
    text = "\r\n".join([*before, names, row, separator * (len(cells) - 1), ""])
    path = tmp_path / "m.csv"
    path.write_bytes(text.encode(encoding))
    listing = read_manifest(str(path), columns=Columns(**columns))
    [file] = listing.files
    assert (file.name, file.label) == ("sub/é,1.png", "Kätzchen")
    assert any("cp1252" in note for note in listing.notes) == (encoding == "cp1252")


def test_a_tab_separates_where_the_suffix_says_so(tmp_path: Path) -> None:
    path = tmp_path / "m.TSV"
    path.write_text("path\tlabel\na, b.png\tcats\n")
    [file] = read_manifest(str(path)).files
    assert (file.name, file.label) == ("a, b.png", "cats")


def test_a_workbook_is_read_as_it_is_shown(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["File", "Class", "Day"], ["1.png", 7, date(2026, 1, 2)], [None], ["2.png", "b"]):
        book.active.append(row)
    path = tmp_path / "m.xlsx"
    book.save(path)
    found = [(file.name, file.label, file.columns) for file in read_manifest(str(path)).files]
    assert found == [("1.png", "7", (("day", "2026-01-02"),)), ("2.png", "b", ())]


def test_a_damaged_workbook_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    path = tmp_path / "m.xlsx"
    path.write_bytes(b"PK\x03\x04 and no more")
    with refused(
        DataError,
        found="m.xlsx can't be read",
        allowed="as a workbook",
        next="Save the sheet",
    ):
        read_manifest(str(path))


@pytest.mark.parametrize(
    "written", ["a\\1.png", "a/1.png", ".\\a\\1.png", "C:\\data\\set\\a\\1.png", "D:/set/a/1.png"]
)
def test_a_windows_path_is_read_where_its_file_is_found(tmp_path: Path, written: str) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").write_bytes(b"123")
    [file] = read(tmp_path, f"path,label\n{written},cats\n")
    assert (file.path, file.name) == (str(tmp_path / "a" / "1.png"), "a/1.png")


def test_windows_paths_that_lead_nowhere_are_told_in_one_sentence(tmp_path: Path) -> None:
    rows = "".join(f"C:\\data\\{n}.png,cats\n" for n in range(30))
    with refused(
        DataError,
        found=r"30 paths are written as on Windows, the first C:\\data",
        allowed="relative to the manifest, or as paths of this machine",
        next="Write them",
    ):
        read(tmp_path, f"path,label\n{rows}")


def test_a_backslash_in_a_name_of_this_machine_stays(tmp_path: Path) -> None:
    (tmp_path / "a\\1.png").write_bytes(b"1")
    [file] = read(tmp_path, "path,label\na\\1.png,cats\n")
    assert file.name == "a\\1.png"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_file_is_found_however_its_letters_are_composed(tmp_path: Path, form: str) -> None:
    (tmp_path / unicodedata.normalize(form, "é.png")).write_bytes(b"1")
    other = unicodedata.normalize("NFD" if form == "NFC" else "NFC", "é.png")
    [file] = read(tmp_path, f"path,label\n{other},cats\n")
    assert Path(file.path).read_bytes() == b"1"


def test_rows_that_differ_in_a_column_nobody_reads_are_one_picture(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("path,label,who,site\n1.png,cats,anna,north\n1.png,cats,ben,north\n")
    listing = read_manifest(str(path))
    [file] = listing.files
    assert file.columns == (("site", "north"),)
    assert "rows of one picture, as of 1.png, differ in who" in " ".join(listing.notes)
    with refused(
        DataError,
        found="line 3: another who .ben. than in line 2 .anna.",
        allowed="one of each",
        next="correct those lines",
    ):
        read_manifest(str(path), read=["Who"])


def test_a_column_called_like_that_of_splits_is_one_if_it_holds_splits(tmp_path: Path) -> None:
    [file] = read(tmp_path, "path,label,subset\n1.png,cats,Test\n")
    assert file.split == "test"
    [file] = read(tmp_path, "path,label,subset\n1.png,cats,A\n")
    assert (file.split, file.columns) == (None, (("subset", "A"),))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "line 1: no column path and no column label; found nothing"),
        ("where,label\n", "line 1: no column path; found where, label"),
        ("path:label\na:b\n", "found path:label"),
        ("path,label\n", "has a header .path, label. and no rows"),
        ("path,label,Note,note\na.png,cats,,\n", "column 'note' is named 2 times .columns 3, 4"),
        ("image,filename,label\na,b,c\n", "image and filename could each be the path"),
        ("path,label\nb.png,cats\na,b.png,cats\n", "line 3: 3 cells, but the header names 2"),
        ("path,label,who\na,b.png,cats\n", "line 2: the label 'b.png' is a file's name"),
        ('path,label\na.png,"cats\nb.png,cats\n', "line 2: a quote opens here .* up to 3"),
        ('path,label\n"a.png,cats\nb.png,"x"\n', "line 2: a quote opens here .* up to 3"),
        ("path,label\na.png,cats\nb.png,\n", "line 3: empty label"),
        ("path,label\na.png\n", "line 2: empty label"),
        ("path,label\n ,cats\n", "line 2: empty path"),
        ("path,label,split\na.png,cats,dev\n", "line 2: unknown split 'dev'; allowed are train,"),
        ("path,label\n\n../a.png,cats\n", "line 3: '../a.png' leaves the manifest's folder"),
        ("path,label\na/../../b.png,cats\n", "line 2: .* leaves the manifest's folder"),
        (
            "path,label,split\na,b,test\na,b,train\n",
            "line 3: another split .train. than in line 2 .test. for 'a'",
        ),
        (f"path,label\n{'a' * 200_000},cats\n", "pictures.csv, line 2: field larger than"),
        ("path,label\n" + "a,\n" * 12, "line 11: empty label\n  and 2 more"),
        (b"path,label\ncaf\x81.png,cats\n", "is neither UTF-8, UTF-16 nor cp1252"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str | bytes, words: str) -> None:
    with refused(
        DataError,
        found=words,
        allowed=r"needs|needed|allowed|recognised|one of each|leaves the|UTF-8|per column|one cell"
        r"|all but one|could each be",
        next="[Cc]orrect those|data.columns=|add them|Close|close|Save|Rename|Give",
    ):
        read(tmp_path, text)


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with refused(
        ConfigError,
        found="none.csv can't be read",
        allowed="No such file",
        next="Name a file that can",
    ):
        read_manifest(str(tmp_path / "none.csv"))


@pytest.mark.parametrize("first", ["", "sep=,\r"])
def test_lines_may_end_as_old_macs_write_them(tmp_path: Path, first: str) -> None:
    found = read(tmp_path, f"{first}path,label\r1.png,cats\r2.png,dogs\r")
    assert [(file.name, file.label) for file in found] == [("1.png", "cats"), ("2.png", "dogs")]


def test_a_first_line_that_is_none_of_a_table_is_refused(tmp_path: Path) -> None:
    header = f"path,label,{'x' * 140_000}"  # a NUL, too, before Python 3.11
    with refused(
        DataError,
        found="pictures.csv, line 1: ",
        allowed="a line with a short cell per column",
        next="save the table as CSV again",
    ):
        read(tmp_path, f"{header}\n1.png,cats\n")


@pytest.mark.parametrize("key", ["label_probability", "weight"])
def test_rows_of_one_picture_that_differ_in_what_training_reads_are_refused(
    tmp_path: Path, key: str
) -> None:
    path = tmp_path / "m.csv"
    rows = "1.png,cats,0.3\n1.png,cats,0.7\n" + "".join(f"{n}.png,dogs,1\n" for n in range(2, 9))
    path.write_text(f"path,label,Sure\n{rows}")
    with refused(
        DataError,
        found=r"line 3: another sure .0\.7. than in line 2 .0\.3. for '1.png'",
        allowed="one of each",
        next="correct those lines",
    ):
        scan(Data(source=str(path), **{key: "Sure"}))


def test_labels_groups_and_columns_in_two_forms_of_unicode_are_one(tmp_path: Path) -> None:
    one, other = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    lines = [f"{number}.png,{sign},{sign},{sign}\n" for number, sign in enumerate((one, other))]
    again = f"0.png,{other},{other},{other}\n"
    files = read(tmp_path, "".join(["path,label,group,site\n", *lines, again]))
    found = [(file.label, file.other_labels, file.group, file.columns) for file in files]
    assert found == [(one, (), one, (("site", one),))] * 2
