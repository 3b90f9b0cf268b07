from __future__ import annotations

import gzip
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from components.artifacts.examples import serialized as example
from components.artifacts.tfrecords import framed
from components.errors import ConfigError, DataError
from components.image_example_gen.sources import Listing, content, records, scan
from components.settings.data import Data
from tests.explains import refused

LABELS = ["cats", "dogs"] * 3


def shard(*labels: str) -> bytes:
    """A file of records, each a picture whose bytes are its label and number."""
    pictures = [f"{label} {number}".encode() for number, label in enumerate(labels)]
    examples = [
        example({"image/height": 3, "image/label": label.encode(), "image/encoded": picture})
        for label, picture in zip(labels, pictures, strict=True)
    ]
    return b"".join(map(framed, examples))


def found(source: Path | str) -> Listing:
    return scan(Data(source=str(source)))


@pytest.mark.parametrize("name", ["a.tfrecord", "a.tfrecord-00000-of-00001", "A.TFRecords.gz"])
def test_each_record_is_a_picture_with_its_label(tmp_path: Path, name: str) -> None:
    data = shard(*LABELS)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    (tmp_path / "notes.txt").touch()
    listing = found(tmp_path)
    assert [file.name for file in listing.files] == [f"{name}:{n:06}" for n in range(6)]
    assert [file.label for file in listing.files] == LABELS
    assert [content(file) for file in listing.files] == [
        f"{label} {number}".encode() for number, label in enumerate(LABELS)
    ]
    assert [file.size for file in listing.files] == [6] * 6
    assert (listing.classes, listing.ignored) == (["cats", "dogs"], 1)


def test_a_pattern_chooses_files(tmp_path: Path) -> None:
    for name in ("a-1.tfrecord", "a-2.tfrecord", "b-1.tfrecord"):
        (tmp_path / name).write_bytes(shard(*LABELS))
    names = {file.name.partition(":")[0] for file in found(tmp_path / "a-*.tfrecord").files}
    assert names == {"a-1.tfrecord", "a-2.tfrecord"}
    assert len(found(tmp_path / "b-1.tfrecord").files) == 6
    assert len(found(tmp_path / "a*").files) == 12
    for pattern in ("c-*.tfrecord", "*.csv*"):
        with refused(
            ConfigError,
            found="no file matches ",
            allowed="has .tfrecord in its name",
            next="Name a folder",
        ):
            found(tmp_path / pattern)


def test_folders_named_like_splits_give_the_split(tmp_path: Path) -> None:
    for name in ("Split-train", "valid", "test"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.tfrecord").write_bytes(shard(*LABELS))
    splits = {file.name.partition("/")[0]: file.split for file in found(tmp_path).files}
    assert splits == {"Split-train": "train", "valid": "eval", "test": "test"}


def test_a_picture_that_an_example_lacks_is_empty_when_it_is_read(tmp_path: Path) -> None:
    without = framed(example({"image/label": b"cats"}))
    (tmp_path / "a.tfrecord").write_bytes(shard(*LABELS) + without)
    assert content(found(tmp_path).files[-1]) == b""


def test_a_changed_compressed_file_is_unpacked_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecord.gz"
    for number, labels in enumerate((LABELS, LABELS[::-1])):
        path.write_bytes(gzip.compress(shard(*labels)))
        os.utime(path, ns=(10**18 + number, 10**18 + number))
        assert content(found(tmp_path).files[0]) == f"{labels[0]} 0".encode()


def test_threads_that_read_records_of_a_compressed_file_unpack_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.tfrecord.gz").write_bytes(gzip.compress(shard(*LABELS)))
    files = found(tmp_path).files
    records._copy.cache_clear()  # as in another process than the one that listed them
    unpacked: list[int] = []

    def slow(source: object, target: object) -> None:
        unpacked.append(1)
        time.sleep(0.05)
        copy(source, target)

    copy = shutil.copyfileobj
    monkeypatch.setattr(shutil, "copyfileobj", slow)
    with ThreadPoolExecutor(len(files)) as threads:
        pictures = list(threads.map(content, files))
    assert pictures == [f"{label} {number}".encode() for number, label in enumerate(LABELS)]
    assert len(unpacked) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (shard(*LABELS)[:-1], "a.tfrecord is cut off or no TFRecord file, at byte"),
        (shard(*LABELS) + b"123", "cut off"),
        (b"this is a text and no file of records", "no TFRecord file, at byte 12"),
        (framed(b"this is no Example"), "no TFRecord file"),
        (shard("cats") + framed(example({"image/encoded": b"x"})), "record 1: no image/label"),
        (framed(example({"image/label": 3})), "record 0: no image/label.* as bytes"),
    ],
)
def test_damaged_records_are_told_with_their_file(tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.tfrecord").write_bytes(data)
    with refused(
        DataError,
        found=words,
        allowed="Whole records, each a tf.train.Example|the name of the class, as bytes",
        next="write it",
    ):
        found(tmp_path)


@pytest.mark.parametrize("packed", [b"no gzip", gzip.compress(shard(*LABELS))[:-9]])
def test_a_damaged_compressed_file_is_told(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "a.tfrecord.gz").write_bytes(packed)
    with refused(
        DataError,
        found="a.tfrecord.gz can't be unpacked",
        allowed="A whole gzip file is needed",
        next="write it again",
    ):
        found(tmp_path)


def test_a_file_that_changed_since_it_was_listed_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "a.tfrecord").write_bytes(shard(*LABELS))
    file = found(tmp_path).files[0]
    (tmp_path / "a.tfrecord").write_bytes(bytes([0xFF]) * 400)
    with pytest.raises(OSError, match="has changed since it was listed"):
        content(file)
