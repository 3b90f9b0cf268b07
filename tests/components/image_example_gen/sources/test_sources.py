from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from components.errors import ConfigError, DataError
from components.image_example_gen.sources import scan
from components.settings.data import Data
from tests import made_pictures
from tests.explains import refused


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return made_pictures.make(tmp_path / "pictures", 3)


def test_every_picture_is_listed_by_name_with_its_class(folder: Path) -> None:
    listing = scan(Data(source=str(folder)))
    assert listing.classes == ["blue", "green", "red"]
    assert [file.name for file in listing.files] == [
        f"{label}/{number:03}.png" for label in listing.classes for number in range(3)
    ]
    first = listing.files[0]
    state = (folder / "blue" / "000.png").stat()
    assert (first.path, first.label) == (str(folder / "blue" / "000.png"), "blue")
    assert (first.size, first.modified) == (state.st_size, state.st_mtime_ns)
    assert listing.ignored == 0


def test_nested_folders_belong_to_the_class_above_them(folder: Path) -> None:
    nested = folder / "red" / "2024" / "May"
    nested.mkdir(parents=True)
    (folder / "red" / "000.png").rename(nested / "x.PNG")
    found = {file.name: file.label for file in scan(Data(source=str(folder))).files}
    assert found["red/2024/May/x.PNG"] == "red"
    assert "red/000.png" not in found


def test_what_is_hidden_or_no_picture_is_ignored_and_counted(folder: Path) -> None:
    before = scan(Data(source=str(folder))).files
    (folder / "README.txt").touch()  # in no class folder
    (folder / "red" / "notes.txt").touch()
    (folder / "red" / ".000.png").touch()
    for hidden in (".cache", "__MACOSX"):
        (folder / hidden).mkdir()
        (folder / hidden / "000.png").touch()
        (folder / "red" / hidden).mkdir()
        (folder / "red" / hidden / "000.png").touch()
    listing = scan(Data(source=str(folder)))
    assert listing.files == before
    assert listing.classes == ["blue", "green", "red"]
    assert listing.ignored == 3


def test_a_broken_link_is_listed_so_that_it_is_told_among_the_rejected(folder: Path) -> None:
    (folder / "red" / "gone.png").symlink_to(folder / "nowhere.png")
    found = {file.name: file for file in scan(Data(source=str(folder))).files}
    assert (found["red/gone.png"].size, found["red/gone.png"].modified) == (0, 0)


def test_a_class_folder_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    (folder / "red").rename(tmp_path / "elsewhere")
    (folder / "red").symlink_to(tmp_path / "elsewhere")
    assert [file.label for file in scan(Data(source=str(folder))).files].count("red") == 3


def test_a_name_that_is_not_utf8_is_listed_and_can_be_read(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    (folder / "red" / "000.png").rename(folder / "red" / name)
    listing = scan(Data(source=str(folder)))
    listing.fingerprint()
    odd = listing.files[-1]
    assert odd.name == "red/caf\\udce9.png"
    assert Path(odd.path).read_bytes()


def test_the_home_folder_is_known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    assert scan(Data(source="~/pictures")).files


def test_a_missing_folder_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    with refused(
        ConfigError,
        found="data.source: no folder .*none",
        allowed="one folder of pictures per class, a manifest",
        next="Name a folder",
    ):
        scan(Data(source=str(tmp_path / "none")))


def test_a_file_that_is_no_source_is_told_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "labels.json").touch()
    with refused(
        ConfigError,
        found="data.source: .*labels.json is a file",
        allowed="one folder of pictures per class, a manifest",
        next="Name a folder",
    ):
        scan(Data(source=str(tmp_path / "labels.json")))


def test_no_class_folders(tmp_path: Path) -> None:
    (tmp_path / "000.png").touch()
    with refused(
        DataError,
        found="has no class folders",
        allowed="<class>/<picture> .* is what is read",
        next="Put the pictures there so",
    ):
        scan(Data(source=str(tmp_path)))


def test_a_single_class(tmp_path: Path) -> None:
    (tmp_path / "cats").mkdir()
    with refused(
        DataError, found="a single class, 'cats'", allowed="needs two", next="Add a class"
    ):
        scan(Data(source=str(tmp_path)))


def test_classes_without_pictures(tmp_path: Path) -> None:
    for label in ("cats", "dogs"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "a.txt").touch()
    with refused(
        DataError, found="holds no pictures", allowed=r"suffixes: .*\.jpg", next="Add some"
    ):
        scan(Data(source=str(tmp_path)))


def test_the_folder_above_the_data_set_is_told_from_a_single_class(folder: Path) -> None:
    (folder.parent / "above").mkdir()
    moved = folder.rename(folder.parent / "above" / "data set")
    with refused(
        DataError,
        found="folders blue, green, red",
        allowed="if those are the classes",
        next=rf"name {moved}\.",
    ):
        scan(Data(source=str(moved.parent)))


def test_an_empty_class_folder_is_named(folder: Path) -> None:
    (folder / "red" / "000.png").unlink()
    (folder / "pink").mkdir()
    few = {"next": "Add pictures or remove the class"}
    with refused(
        DataError, found=r"too few pictures in pink \(0\)", allowed="needs at least 1", **few
    ):
        scan(Data(source=str(folder)))


def test_one_picture_of_a_class_is_enough_unless_more_are_asked_for(folder: Path) -> None:
    (folder / "red" / "000.png").unlink()
    (folder / "red" / "001.png").unlink()
    assert len(scan(Data(source=str(folder))).files) == 7
    with refused(
        DataError,
        found=r"blue \(3\), ",
        allowed="a class needs at least 6: data.min_pictures for each of train, eval, test",
        next="Add pictures or remove the class",
    ):
        scan(Data(source=str(folder), min_pictures=2))


def _add(folder: Path) -> None:
    (folder / "red" / "new.png").write_bytes(b"new")


def _remove(folder: Path) -> None:
    (folder / "red" / "003.png").unlink()


def _replace_same_size(folder: Path) -> None:
    path = folder / "red" / "003.png"
    path.write_bytes(bytes(len(path.read_bytes())))


def _replace_same_time(folder: Path) -> None:
    path = folder / "red" / "003.png"
    modified = path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes() + b"\0")
    os.utime(path, ns=(modified, modified))


def _move(folder: Path) -> None:
    (folder / "red" / "003.png").rename(folder / "blue" / "moved.png")


def _swap(folder: Path) -> None:
    red, blue = folder / "red" / "003.png", folder / "blue" / "003.png"
    for path in (red, blue):
        os.utime(path, ns=(10**18, 10**18))
    red.rename(folder / "kept")
    blue.rename(red)
    (folder / "kept").rename(blue)


def _touch(folder: Path) -> None:
    os.utime(folder / "red" / "003.png", ns=(10**18, 10**18))


@pytest.mark.parametrize(
    "change", [_add, _remove, _replace_same_size, _replace_same_time, _move, _swap, _touch]
)
def test_any_change_to_the_pictures_changes_the_fingerprint(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    folder = made_pictures.make(tmp_path, 4)
    before = scan(Data(source=str(folder))).fingerprint()
    assert scan(Data(source=str(folder))).fingerprint() == before
    change(folder)
    assert scan(Data(source=str(folder))).fingerprint() != before


def test_the_fingerprint_does_not_depend_on_where_the_folder_lies(tmp_path: Path) -> None:
    folder = made_pictures.make(tmp_path / "here", 3)
    before = scan(Data(source=str(folder))).fingerprint()
    folder.rename(tmp_path / "there")
    assert scan(Data(source=str(tmp_path / "there"))).fingerprint() == before


def test_what_is_ignored_does_not_change_the_fingerprint(folder: Path) -> None:
    before = scan(Data(source=str(folder))).fingerprint()
    (folder / "red" / "Thumbs.db").touch()
    assert scan(Data(source=str(folder))).fingerprint() == before


def names(*sources: Path | str, window: int = 1) -> list[str]:
    listing = scan(Data(source=[str(source) for source in sources], window=window))
    return [file.name for file in listing.files]


def test_several_sources_make_one_and_names_begin_with_theirs(tmp_path: Path) -> None:
    made_pictures.make(tmp_path / "first" / "pictures", 2)
    made_pictures.make(tmp_path / "second" / "pictures", 1)
    rows = "".join(f"first/pictures/red/000.png,{label}\n" for label in ("pink", "red"))
    rows += rows.replace("000", "001") + "a.png,pink\n"
    (tmp_path / "more.csv").write_text(f"path,label\n{rows}")
    found = names(
        tmp_path / "first" / "pictures", tmp_path / "second" / "pictures", tmp_path / "more.csv"
    )
    assert len(set(found)) == 6 + 3 + 3
    assert {name.partition("/")[0] for name in found} == {"pictures", "pictures-2", "more"}


def test_a_source_that_is_named_twice_is_refused_however_it_is_spelled(tmp_path: Path) -> None:
    pictures = made_pictures.make(tmp_path / "pictures", 2)
    (tmp_path / "link").symlink_to(pictures)
    for again in (f"{pictures}/", f"{tmp_path}/./pictures", f"{tmp_path}/link"):
        with refused(
            ConfigError,
            found=f"{pictures} and {again} are the same place",
            allowed="Each source is named once",
            next="leave one of them out",
        ):
            names(pictures, again)


def test_a_group_by_expression_sees_the_path_below_the_class_whatever_stands_before(
    tmp_path: Path,
) -> None:
    for split in ("train", "test"):
        made_pictures.make(tmp_path / "span-1" / split, 3)
    for source in (str(tmp_path / "span-1"), str(tmp_path / "span-{SPAN}")):
        listing = scan(Data(source=[source, str(tmp_path / "span-1" / "train")]))
        assert {file.below for file in listing.files} == {"000.png", "001.png", "002.png"}


def test_the_newest_spans_are_read_named_by_their_folders_and_said(tmp_path: Path) -> None:
    for name in ("span-1/v-1", "span-2/v-1", "span-2/v-2", "span-3/v-1"):
        made_pictures.make(tmp_path / name, 3)
    pattern = f"{tmp_path}/span-{{SPAN}}/v-{{VERSION}}"
    listing = scan(Data(source=pattern, window=2))
    places = {"/".join(file.name.split("/")[:2]) for file in listing.files}
    assert places == {"span-2/v-2", "span-3/v-1"}
    assert len(listing.files) == 18
    assert listing.notes == [
        f"{pattern}: read spans 2 (version 2), 3 (version 1); found spans 1 (version 1), "
        "2 (version 1), 2 (version 2), 3 (version 1)."
    ]


def test_a_new_span_or_a_wider_window_changes_the_fingerprint(tmp_path: Path) -> None:
    pattern = f"{tmp_path}/{{SPAN}}"
    made_pictures.make(tmp_path / "1", 3)
    before = scan(Data(source=pattern)).fingerprint()
    made_pictures.make(tmp_path / "2", 3)
    after = scan(Data(source=pattern)).fingerprint()
    assert len({before, after, scan(Data(source=pattern, window=2)).fingerprint()}) == 3
    assert scan(Data(source=pattern, span=1)).fingerprint() == before


def test_a_fault_in_a_span_says_which_were_found(tmp_path: Path) -> None:
    (tmp_path / "7" / "cats").mkdir(parents=True)
    with refused(
        DataError,
        found="single class.*read span 7; found span 7",
        allowed="needs two",
        next="Add a class",
    ):
        scan(Data(source=f"{tmp_path}/{{SPAN}}"))


def test_a_missing_split_is_cut_out_of_train_and_the_given_one_stays(tmp_path: Path) -> None:
    made_pictures.make(tmp_path / "train", 3)
    made_pictures.make(tmp_path / "Testing", 2)
    listing = scan(Data(source=str(tmp_path)))
    places = {(file.name.partition("/")[0], file.split, file.among) for file in listing.files}
    assert places == {
        ("train", None, ("train", "eval")),
        ("Testing", "test", ("train", "eval", "test")),
    }
    assert listing.notes == ["The source gives no eval split: cut out of train."]


def test_a_changed_row_of_a_manifest_changes_the_fingerprint(folder: Path) -> None:
    manifest = folder / "m.csv"
    rows = [f"{label}/00{n}.png,{label},," for label in ("blue", "red") for n in range(3)]

    def fingerprint(row: str) -> str:
        manifest.write_text("\n".join(["path,label,split,group", *rows, row]))
        return scan(Data(source=str(manifest))).fingerprint()

    changed = ["x.png,red,,", "x.png,blue,,", "x.png,red,test,", "x.png,red,,p7", "y.png,red,,"]
    assert len({fingerprint(row) for row in changed}) == 5


def test_folders_of_systems_are_no_classes_and_counted_with_a_note(folder: Path) -> None:
    before = scan(Data(source=str(folder)))
    for name in ("red/@eaDir/000.png", "@eaDir", "#recycle"):
        (folder / name).mkdir(parents=True)
        (folder / name / "SYNOPHOTO_THUMB_M.jpg").touch()
    listing = scan(Data(source=str(folder)))
    assert (listing.files, listing.classes) == (before.files, before.classes)
    assert listing.ignored == 3
    [note] = listing.notes
    assert note.startswith("3 files in #recycle, @eaDir, red/@eaDir not read")


def test_pictures_in_formats_that_are_not_read_are_counted_by_suffix(folder: Path) -> None:
    for number in range(4):
        (folder / "red" / f"{number}.JXL").touch()
    (folder / "blue" / ".hidden.jxl").touch()
    listing = scan(Data(source=str(folder)))
    assert listing.unread == {"red": {".jxl": 4}}
    assert listing.ignored == 5


def test_what_was_not_read_is_said_where_too_few_are_left(folder: Path) -> None:
    for path in (folder / "red").iterdir():
        path.rename(path.with_suffix(".jxl"))
    with refused(
        DataError,
        found=r"red \(0\).*3 \.jxl \(\.jxl is JPEG XL\)",
        allowed="needs at least 1",
        next="Add pictures or remove the class",
    ):
        scan(Data(source=str(folder)))
