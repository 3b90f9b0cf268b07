from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components import packed
from components.image_example_gen import listing_handover
from components.image_example_gen.sources import layouts, scan, scan_with_evidence, unchanged
from components.image_example_gen.sources.listing import Listing, Record, SourceFile
from components.settings.data import Data
from components.settings.ingest import Ingest
from serving.picture_formats import SUFFIXES

ODD = os.fsdecode(b"caf\xe9.png")  # a name that is not UTF-8
FILE = SourceFile(f"/x/cats/{ODD}", "cats/a.png", "cats", 1, 10**18)
LISTING = Listing(
    [
        FILE,
        dataclasses.replace(FILE, modified="checksum", split="test", group="p7", below="a.png"),
        dataclasses.replace(FILE, among=("train", "eval"), record=Record(12, 34)),
    ],
    ["cats", "dogs"],
    3,
    ["a note"],
)


def test_a_kept_listing_comes_back_as_it_was(tmp_path: Path) -> None:
    fingerprint = listing_handover.keep(LISTING, str(tmp_path))
    assert fingerprint == LISTING.fingerprint()
    found = listing_handover.kept(str(tmp_path), fingerprint)
    assert found == LISTING
    assert (found.fingerprint(), found.counts) == (fingerprint, LISTING.counts)
    assert listing_handover.kept(str(tmp_path), "another") is None


def test_a_source_that_has_moved_is_kept_with_its_new_paths(tmp_path: Path) -> None:
    moved = dataclasses.replace(
        LISTING, files=[dataclasses.replace(file, path="/new/place") for file in LISTING.files]
    )
    fingerprint = listing_handover.keep(LISTING, str(tmp_path))
    assert listing_handover.keep(moved, str(tmp_path)) == fingerprint
    assert listing_handover.kept(str(tmp_path), fingerprint) == moved


def test_what_was_kept_is_not_written_again_but_in_another_folder(tmp_path: Path) -> None:
    fingerprint = listing_handover.keep(LISTING, str(tmp_path))
    found = listing_handover.kept(str(tmp_path), fingerprint)
    path = tmp_path / ".system" / "listings" / f"{fingerprint}.listing"
    written = path.stat().st_ino
    listing_handover.keep(found, str(tmp_path))
    assert path.stat().st_ino == written
    listing_handover.keep(found, str(tmp_path / "other"))
    assert listing_handover.kept(str(tmp_path / "other"), fingerprint) == LISTING


def test_one_of_many_files_comes_back_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "_FEW", 300)
    files = [dataclasses.replace(LISTING.files[at % 3], size=at) for at in range(1000)]
    many = dataclasses.replace(LISTING, files=files)
    found = listing_handover.kept(str(tmp_path), listing_handover.keep(many, str(tmp_path)))
    assert found == many
    assert found.files[997] == files[997]


def test_a_run_finds_the_listing_made_for_it(tmp_path: Path) -> None:
    fingerprint = listing_handover.keep(LISTING, str(tmp_path), run_id="run-1")
    assert listing_handover.kept_for_run(str(tmp_path), "run-1") == fingerprint
    assert listing_handover.kept_for_run(str(tmp_path), "run-2") is None
    (tmp_path / ".system" / "listings" / f"{fingerprint}.listing").unlink()
    assert listing_handover.kept_for_run(str(tmp_path), "run-1") is None


def test_it_lies_beside_the_node_s_other_system_files(tmp_path: Path) -> None:
    listing_handover.keep(LISTING, str(tmp_path))
    names = {path.name for path in (tmp_path / ".system" / "listings").iterdir()}
    assert names == {f"{LISTING.fingerprint()}.listing", "last.json"}


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / ".system" / "listings"
    for number in range(15):
        file = dataclasses.replace(FILE, size=number)
        last = listing_handover.keep(Listing([file], ["cats"], 0), str(tmp_path), f"run-{number}")
        for path in folder.rglob("*"):
            os.utime(path, (path.stat().st_mtime - 1,) * 2)  # a second later
    assert len(list(folder.glob("*.listing"))) == 10
    assert len(list(folder.iterdir())) == 10 + len(["last.json", "runs"])
    assert listing_handover.kept(str(tmp_path), last) is not None
    assert listing_handover.kept_for_run(str(tmp_path), "run-14") is not None
    assert listing_handover.kept_for_run(str(tmp_path), "run-0") is None


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two classes, and a folder in one of them; nothing was changed for an hour."""
    folder = tmp_path / "pictures"
    for name in ("cats/a", "cats/deep/b", "cats/c", "dogs/a", "dogs/b", "dogs/c"):
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


@pytest.fixture
def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder's time of change can't be set back: the clock goes forward instead."""
    later = time.time_ns() + 3600 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: later)


def recalled(node: Path, data: Data) -> bool:
    """Whether the next look at the source takes what was kept."""
    found = listing_handover.current(str(node), data)
    assert found == dataclasses.replace(scan(data), places=found.places, evidence=found.evidence)
    return not found.places  # which no file holds


def kept_of(folder: Path, node: Path, changes: str = "folders", **settings: Any) -> Data:
    data = Data(source=str(folder), changes=changes, **settings)
    listing_handover.keep(scan_with_evidence(data), str(node))
    return data


def rename(folder: Path) -> None:
    (folder / "dogs" / "c.png").rename(folder / "dogs" / "d.png")


def move(folder: Path) -> None:
    (folder / "dogs" / "c.png").rename(folder / "cats" / "x.png")


def add(folder: Path) -> None:
    (folder / "cats" / "deep" / "new.png").write_bytes(b"new")


def add_a_class(folder: Path) -> None:
    (folder / "birds").mkdir()
    for name in "abc":
        (folder / "birds" / f"{name}.png").write_bytes(b"bird")


def remove(folder: Path) -> None:
    (folder / "cats" / "deep" / "b.png").unlink()


def replace(folder: Path) -> None:
    (folder / "aside").write_bytes(b"other")
    (folder / "aside").rename(folder / "cats" / "a.png")


def another_folder(folder: Path) -> None:
    shutil.copytree(folder, folder.with_name("copy"), symlinks=True)
    (folder.with_name("copy") / "cats" / "a.png").write_bytes(b"longer than before")
    folder.rename(folder.with_name("before"))
    folder.with_name("copy").rename(folder)


def overwrite(folder: Path) -> None:
    (folder / "cats" / "deep" / "b.png").write_bytes(b"longer than before")


def overwrite_by_as_many_bytes(folder: Path) -> None:
    (folder / "cats" / "deep" / "b.png").write_bytes(b"bats/deep/b")


def overwrite_behind_a_link(folder: Path) -> None:
    (folder.parent / "elsewhere.png").write_bytes(b"longer than before")


def close(folder: Path) -> None:
    (folder / "cats" / "deep" / "b.png").chmod(0)


FOLDERS_TELL = [rename, move, add, add_a_class, remove, replace, another_folder]
FILES_TELL = [*FOLDERS_TELL, overwrite, overwrite_by_as_many_bytes, overwrite_behind_a_link, close]
TOLD = [("folders", change) for change in FOLDERS_TELL]
TOLD += [("files", change) for change in FILES_TELL]


@pytest.mark.usefixtures("an_hour_later")
@pytest.mark.parametrize(("changes", "change"), TOLD)
def test_folders_and_files_tell_what_has_changed(
    pictures: Path, tmp_path: Path, changes: str, change: Callable[[Path], None]
) -> None:
    (tmp_path / "elsewhere.png").write_bytes(b"linked")
    (pictures / "dogs" / "link.png").symlink_to(tmp_path / "elsewhere.png")
    (pictures / "dogs" / "nowhere.png").symlink_to(tmp_path / "nothing")
    data = kept_of(pictures, tmp_path / "node", changes)
    assert recalled(tmp_path / "node", data)
    time.sleep(0.02)  # a tick of the file system's clock
    change(pictures)
    assert not recalled(tmp_path / "node", data)


@pytest.mark.usefixtures("an_hour_later")
def test_folders_do_not_tell_of_a_picture_overwritten_in_place(
    pictures: Path, tmp_path: Path
) -> None:
    data = kept_of(pictures, tmp_path / "node")
    (pictures / "cats" / "a.png").write_bytes(b"another picture")
    found = listing_handover.current(str(tmp_path / "node"), data)
    assert found.fingerprint() != scan(data).fingerprint()


@pytest.mark.usefixtures("an_hour_later")
def test_what_was_seen_by_files_is_not_forgotten_by_folders(pictures: Path, tmp_path: Path) -> None:
    data = kept_of(pictures, tmp_path / "node")
    (pictures / "cats" / "a.png").write_bytes(b"another picture")
    by_files = data.model_copy(update={"changes": "files"})
    listing_handover.keep(scan_with_evidence(by_files), str(tmp_path / "node"))
    assert not recalled(tmp_path / "node", data)


@pytest.mark.parametrize("changes", ["folders", "files"])
def test_a_folder_that_has_just_changed_may_change_again(
    pictures: Path, tmp_path: Path, changes: str
) -> None:
    data = kept_of(pictures, tmp_path / "node", changes)
    assert not recalled(tmp_path / "node", data)


@pytest.mark.usefixtures("an_hour_later")
def test_very_many_folders_are_listed_anew(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = ("", "cats", "cats/deep", "dogs")
    for most in (len(folders), len(folders) - 1):
        monkeypatch.setattr(unchanged, "MOST_PLACES", most)
        data = kept_of(pictures, tmp_path / "node", "files")
        assert recalled(tmp_path / "node", data) == (most == len(folders))


@pytest.mark.usefixtures("an_hour_later")
def test_a_time_in_the_future_is_one_like_any_other(pictures: Path, tmp_path: Path) -> None:
    os.utime(pictures / "cats" / "a.png", (4e9, 4e9))  # a camera whose clock is wrong
    data = kept_of(pictures, tmp_path / "node", "files")
    assert recalled(tmp_path / "node", data)


@pytest.mark.usefixtures("an_hour_later")
@pytest.mark.parametrize("last", [b"", b"[]", b'{"evidence": {"other": 1}}', b'{"evidence": null}'])
def test_what_an_other_version_has_kept_is_not_read(
    pictures: Path, tmp_path: Path, last: bytes
) -> None:
    data = kept_of(pictures, tmp_path / "node")
    (tmp_path / "node" / ".system" / "listings" / "last.json").write_bytes(last)
    assert not recalled(tmp_path / "node", data)


@pytest.mark.usefixtures("an_hour_later")
def test_other_settings_and_the_step_s_own_ones(pictures: Path, tmp_path: Path) -> None:
    data = kept_of(pictures, tmp_path / "node")
    assert recalled(tmp_path / "node", Ingest.of(data))
    assert not recalled(tmp_path / "node", data.model_copy(update={"group_by": "."}))


@pytest.mark.usefixtures("an_hour_later")
def test_corrections_and_manifests_count_as_folders_do(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "corrections.csv").write_text("path,label\ncats/a.png,dogs\n")
    data = kept_of(pictures, tmp_path / "node", corrections=str(tmp_path / "corrections.csv"))
    assert recalled(tmp_path / "node", data)
    (tmp_path / "corrections.csv").write_text("path,label\ncats/c.png,dogs\n")
    assert not recalled(tmp_path / "node", data)

    names = [path.relative_to(tmp_path).as_posix() for path in sorted(pictures.rglob("*.png"))]
    rows = [f"{name},{name.split('/')[1]}" for name in names]
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("\n".join(["path,label", *rows, *rows[:1]]))
    data = kept_of(manifest, tmp_path / "other")
    assert recalled(tmp_path / "other", data)
    replace(pictures)
    assert not recalled(tmp_path / "other", data)
    data = kept_of(manifest, tmp_path / "other")
    manifest.write_text("\n".join(["path,label", *rows]))
    assert not recalled(tmp_path / "other", data)


@pytest.mark.usefixtures("an_hour_later")
def test_a_new_span_is_seen(pictures: Path, tmp_path: Path) -> None:
    spans = tmp_path / "spans"
    shutil.copytree(pictures, spans / "2026" / "11" / "27")
    (spans / "2026" / "12").mkdir()
    data = kept_of(spans / "{YYYY}" / "{MM}" / "{DD}", tmp_path / "node")
    assert recalled(tmp_path / "node", data)
    shutil.copytree(pictures, spans / "2026" / "12" / "04")
    assert not recalled(tmp_path / "node", data)


@pytest.mark.usefixtures("an_hour_later")
@pytest.mark.parametrize("changes", ["files", "folders"])
def test_a_relative_path_is_another_source_elsewhere(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: str
) -> None:
    other = tmp_path / "other"
    shutil.copytree(pictures, other / "pictures")
    (other / "pictures" / "cats" / "new.png").write_bytes(b"new")
    monkeypatch.chdir(pictures.parent)
    data = kept_of(Path(pictures.name), tmp_path / "node", changes)
    assert recalled(tmp_path / "node", data)
    monkeypatch.chdir(other)
    assert not recalled(tmp_path / "node", data)


@pytest.mark.usefixtures("an_hour_later")
def test_a_decoder_that_was_installed_meanwhile_finds_more(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pictures / "cats" / "new.sketch").write_bytes(b"new")
    data = kept_of(pictures, tmp_path / "node")
    more = SUFFIXES | {".sketch"}
    monkeypatch.setattr(unchanged, "SUFFIXES", more)
    monkeypatch.setattr(layouts, "_SUFFIXES", tuple(more))
    found = listing_handover.current(str(tmp_path / "node"), data)
    assert "cats/new.sketch" in {file.name for file in found.files}
