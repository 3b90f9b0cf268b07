from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from components.image_example_gen.reading import read
from components.image_example_gen.sources import SourceFile
from components.settings.data import Data

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
