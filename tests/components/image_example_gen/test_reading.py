from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from components.image_example_gen import reading
from components.image_example_gen.reading import read, read_all
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.sources.corrections import LEFT_OUT
from components.settings.data import Data
from serving.opened_picture import Opened

DATA = Data(source="/x")


def source_file(path: Path) -> SourceFile:
    return SourceFile(str(path), f"cats/{path.name}", "cats", 1, 1)


def test_a_picture_is_accepted_with_its_checksum(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (7, 5), "red").save(path)
    accepted, row = read(source_file(path), DATA)
    assert accepted is not None
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert accepted.sha256 == sha256
    assert accepted.picture.encoded == path.read_bytes()
    assert row == {
        "file": "cats/a.png",
        "label": "cats",
        "sha256": sha256,
        "difference_hash": "0" * 80,
        "quality": f"76.0 0.0 0.0 7 5 {path.stat().st_size}",
    }


def test_a_picture_that_is_not_canonical_is_made_so_and_keeps_the_checksum_of_its_file(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.tiff"
    Image.new("RGB", (7, 5), "red").save(path)
    accepted, _ = read(source_file(path), DATA)
    assert accepted is not None
    assert accepted.picture.format == "png"
    assert accepted.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty file"), (b"hello", "not a picture"), (None, "can't be read: No such file")],
)
def test_a_file_that_is_no_picture_is_rejected_with_the_reason(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    accepted, row = read(source_file(path), DATA)
    assert accepted is None
    assert (row["file"], row["label"]) == ("cats/a.png", "cats")
    assert row["reason"].startswith(reason)
    assert "split" not in row


def test_the_configured_number_of_pixels_is_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (10, 10)).save(path)
    assert read(source_file(path), Data(source="/x", max_pixels=100))[0]
    accepted, row = read(source_file(path), Data(source="/x", max_pixels=99))
    assert accepted is None
    assert row["reason"].startswith("too many pixels")


@pytest.fixture
def locked(tmp_path: Path) -> Path:
    path = tmp_path / "locked.png"
    Image.new("L", (10, 10)).save(path)
    path.chmod(0)
    return path


def test_a_file_without_permission_is_rejected(locked: Path, nobody: None) -> None:
    assert "Permission denied" in read(source_file(locked), DATA)[1]["reason"]


def test_the_row_has_the_split_and_the_group_that_the_source_gives(tmp_path: Path) -> None:
    gone = source_file(tmp_path / "gone.png")
    _, row = read(replace(gone, split="test", group="p7"), DATA)
    assert (row["split"], row["group"]) == ("test", "p7")
    assert not {"split", "group"} & read(gone, DATA)[1].keys()


@pytest.mark.parametrize(("threads", "size"), [(1, 1), (3, 1), (3, 100_000)])
def test_many_files_are_read_as_each_of_them_alone(tmp_path: Path, threads: int, size: int) -> None:
    files = []
    for number in range(40):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (40 + number, 30), (number, 9 * number % 256, 7)).save(path)
        files.append(replace(source_file(path), size=size))
    (tmp_path / "3.png").unlink()
    (tmp_path / "20.png").write_bytes(b"no picture")
    files[7] = replace(files[7], other_labels=("dogs",))
    sha256 = hashlib.sha256((tmp_path / "11.png").read_bytes()).hexdigest()
    corrections = {"cats/9.png": LEFT_OUT, sha256: LEFT_OUT, "cats/30.png": "dogs"}
    found = list(read_all(files, DATA, corrections=corrections, threads=threads))
    assert found == [read(file, DATA, corrections=corrections) for file in files]
    without = [number for number, (accepted, _) in enumerate(found) if accepted is None]
    assert without == [3, 7, 9, 11, 20]
    assert [row["file"] for _, row in found] == [file.name for file in files]
    assert found[30][1]["label"] == "dogs"


def test_large_files_are_held_one_at_a_time_and_small_ones_a_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    monkeypatch.setattr(reading, "_content", lambda file, data: events.append("load") or b"x")
    sizes = [100, 9_000_000, 9_000_000, 50_000_000, 50_000_000, *[1] * 20]
    files = [replace(source_file(tmp_path / "a.png"), size=size) for size in sizes]
    for _ in read_all(files, DATA):
        events.append("done")
    together = "".join("l" if event == "load" else "d" for event in events)
    assert together == "lllddd" + "ld" * 2 + "l" * 16 + "d" * 16 + "llll" + "dddd"


@pytest.mark.parametrize(
    ("size", "threads", "decoding"), [(1, 3, {1}), (100_000, 3, {2, 3}), (100_000, 1, {1})]
)
def test_large_pictures_alone_are_decoded_side_by_side(
    tmp_path: Path, size: int, threads: int, decoding: set[int]
) -> None:
    Image.new("L", (30, 20)).save(tmp_path / "a.png")
    file = replace(source_file(tmp_path / "a.png"), size=size)
    by: set[int] = set()

    def slow(opened: Opened) -> Image.Image:
        by.add(threading.get_ident())
        time.sleep(0.01)
        return opened.image

    assert all(
        accepted for accepted, _ in read_all([file] * 20, DATA, decode=slow, threads=threads)
    )
    assert len(by) in decoding


def test_what_a_thread_meets_ends_the_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(file: SourceFile, data: Data) -> bytes:
        raise RuntimeError("the mount is gone")

    monkeypatch.setattr(reading, "_content", gone)
    files = [replace(source_file(tmp_path / "a.png"), size=100_000)] * 5
    with pytest.raises(RuntimeError, match="gone"):
        list(read_all(files, DATA, threads=3))


def test_files_of_another_machine_are_asked_for_side_by_side(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = threading.Barrier(16, timeout=10)

    def content(file: SourceFile, data: Data) -> bytes:
        together.wait()
        return b"no picture"

    monkeypatch.setattr(reading, "_content", content)
    file = SourceFile("s3://bucket/a.png", "cats/a.png", "cats", 1, 1)
    assert len(list(read_all([file] * 32, DATA))) == 32
