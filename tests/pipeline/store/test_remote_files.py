"""Files of any file system: what fails is tried again for a while, then told with its address."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.store import remote_files
from pipeline.store.remote_files import FileSystemUnavailable
from tests.explains import refused
from tests.pipeline.store.made_store import MadeStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(remote_files, "WAITS", (0.01, 0.01))
    MadeStore.keep_in(tmp_path / "store")
    return tmp_path / "store"


def test_a_tree_is_the_same_after_there_and_back(store: Path, tmp_path: Path) -> None:
    (tmp_path / "tree" / "empty").mkdir(parents=True)
    (tmp_path / "tree" / "a" / "b").mkdir(parents=True)
    (tmp_path / "tree" / "a" / "b" / "file").write_bytes(bytes(range(256)))
    remote_files.copy_tree(str(tmp_path / "tree"), "made://x/tree/")
    remote_files.copy_tree("made://x/tree/", str(tmp_path / "back"))
    back = {path.relative_to(tmp_path / "back").as_posix() for path in tmp_path.glob("back/**/*")}
    assert back == {"empty", "a", "a/b", "a/b/file"}
    assert (tmp_path / "back" / "a" / "b" / "file").read_bytes() == bytes(range(256))


def test_a_single_file_is_copied_as_one(store: Path, tmp_path: Path) -> None:
    remote_files.write("made://x/value/1/value", b"7")
    remote_files.copy_tree("made://x/value/1/value", str(tmp_path / "1" / "value"))
    assert (
        (tmp_path / "1" / "value").read_bytes()
        == b"7"
        == remote_files.read("made://x/value/1/value")
    )


def test_what_comes_back_meanwhile_was_never_gone() -> None:
    attempts: list[int] = []

    def comes_back() -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionError
        return "here"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remote_files, "WAITS", (0.01, 0.01))
        assert remote_files.patiently("Looking", comes_back) == "here"


def test_what_stays_gone_is_told_with_its_address_and_the_reason(store: Path) -> None:
    again = {"allowed": "Is the file system mounted", "next": "Nothing was lost: once it answers"}
    with refused(FileSystemUnavailable, found="Looking for made://x/y failed.*not there", **again):
        remote_files.expect("made://x/y")
    with refused(FileSystemUnavailable, found="Reading made://x/y failed", **again):
        remote_files.read("made://x/y")
    MadeStore.refused = ("x",)
    with refused(FileSystemUnavailable, found="folder made://x failed.*the store refuses", **again):
        remote_files.make_folder("made://x")
