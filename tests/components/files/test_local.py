from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from components import files as file_systems
from components.errors import DataError
from components.files.paths import absolute
from tests.explains import refused


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in file_systems.view("").tree(str(folder)).files)


def test_links_to_folders_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    (tmp_path / "cats" / "deep").mkdir(parents=True)
    (tmp_path / "cats" / "deep" / "1.png").touch()
    (tmp_path / "linked").symlink_to(tmp_path / "cats")
    (tmp_path / "cats" / "deep" / "up").symlink_to(tmp_path)
    assert names(tmp_path) == ["cats/deep/1.png", "linked/deep/1.png"]


def test_empty_folders_are_known(tmp_path: Path) -> None:
    (tmp_path / "cats" / "deep").mkdir(parents=True)
    (tmp_path / ".hidden" / "deep").mkdir(parents=True)
    assert file_systems.view("").tree(str(tmp_path)).folders == ["cats", "cats/deep"]


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    (tmp_path / "closed").mkdir(mode=0)
    return tmp_path / "closed"


def test_a_folder_that_cannot_be_listed_is_named(closed: Path, nobody: None) -> None:
    with refused(
        DataError,
        found="closed can't be listed",
        allowed="Permission denied",
        next="Give this user access to it, or remove it",
    ):
        names(closed)


def test_a_file_is_written_whole_with_the_folders_above_it(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b"
    file_systems.write_bytes(str(target), b"one")
    file_systems.write_bytes(str(target), b"two")
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]


def test_a_file_is_read_by_those_who_read_its_folder(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "root").chmod(0o755)
    file_systems.write_bytes(str(tmp_path / "root" / "a"), b"")
    assert stat.S_IMODE((tmp_path / "root" / "a").stat().st_mode) == 0o644


def test_a_file_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        path.touch()
        raise OSError("No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        file_systems.write_bytes(str(tmp_path / "a"), b"one")
    assert list(tmp_path.iterdir()) == []


def test_a_path_is_absolute_unless_it_has_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert absolute("~/p") == "/home/me/p"
    assert absolute("p") == str(Path.cwd() / "p")
    assert absolute("gs://b/p") == "gs://b/p"


def test_folders_that_systems_make_are_left_out_and_their_files_counted(tmp_path: Path) -> None:
    for name in ("cats/1.png", "cats/@eaDir/1.png/THUMB.jpg", "cats/@EADIR2/1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for folder in ("#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found"):
        (tmp_path / folder / "deep").mkdir(parents=True)
        (tmp_path / folder / "deep" / "1.png").touch()
        (tmp_path / folder / "2.png").touch()
    (tmp_path / "cats" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "cats" / ".ipynb_checkpoints" / "1.png").touch()
    tree = file_systems.view("").tree(str(tmp_path))
    assert sorted(file.name for file in tree.files) == ["cats/1.png", "cats/@EADIR2/1.png"]
    assert sorted(tree.folders) == ["cats", "cats/@EADIR2"]
    assert tree.system == {
        "cats/@eaDir": 1,
        "cats/.ipynb_checkpoints": 1,
        **dict.fromkeys(("#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found"), 2),
    }


@pytest.fixture
def locked() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to others
        Path(folder).chmod(0o755)
        Path(folder, "1.png").touch(mode=0)
        yield Path(folder)


def test_a_file_that_cannot_be_read_has_another_time_than_once_it_can(
    locked: Path, nobody: None
) -> None:
    def times() -> set[int | str]:
        [file] = file_systems.view("").tree(str(locked)).files
        entry = file_systems.view("").entry(file.path)
        assert entry is not None
        return {file.modified, entry.modified}

    assert times() == {0}
    me = os.geteuid()
    os.seteuid(os.getuid())
    (locked / "1.png").chmod(0o644)
    os.seteuid(me)
    assert times() == {(locked / "1.png").stat().st_mtime_ns}
