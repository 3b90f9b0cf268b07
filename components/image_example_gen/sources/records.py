"""TFRecords of `tf.train.Example`s with `image/encoded` and `image/label`, read without TensorFlow.

The records' checksums are not looked at: a damaged picture is found when it is decoded.
"""

from __future__ import annotations

import functools
import gzip
import shutil
import tempfile
import threading
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from components.artifacts import features, tfrecords
from components.artifacts.examples import Example
from components.errors import DataError
from components.files import open_bytes
from components.files.entries import Entry, is_visible
from components.image_example_gen.sources.layouts import SPLIT_NAMES
from components.image_example_gen.sources.listing import (
    Listing,
    Record,
    SourceFile,
    compressed,
)


def is_records(name: str) -> bool:
    """Checks whether a file's name is that of a file of records."""
    return is_visible(name) and ".tfrecord" in name.lower()


def read_records(entries: list[Entry]) -> Listing:
    """Lists the pictures in files of records, which takes reading them once.

    The name of a picture is the file's with the record's number. A file in a folder that is named
    like a split belongs to that split.

    Raises:
      DataError: a file is damaged or an Example lacks its label.
    """
    files = compressed(file for entry in entries for file in _pictures(entry))
    return Listing(files, sorted({file.label for file in files}), 0)


def read_picture(path: str, modified: int | str, record: Record) -> bytes:
    """Returns `image/encoded` of one record; nothing where the Example has none.

    Raises:
      OSError: the file can't be read, or is not what was listed.
    """
    with open_bytes(_unpacked(path, modified)) as file:
        file.seek(record.offset)
        try:
            return Example(file.read(record.length)).encoded(features.ENCODED)
        except ValueError as error:
            raise OSError(f"{path} has changed since it was listed: {error}") from error


def _pictures(entry: Entry) -> Iterator[SourceFile]:
    folder = entry.name.rpartition("/")[0].split("/")[0].lower()
    with open_bytes(_unpacked(entry.path, entry.modified)) as file:
        for number, (record, example) in enumerate(_examples(file, entry.path)):
            try:
                label = example.text(features.LABEL)
            except ValueError as error:  # the name is no text
                raise _damaged(entry.path, record.offset) from error
            if not label:
                raise DataError(
                    f"data.source: {entry.path}, record {number}: no {features.LABEL}. It has to "
                    "hold the name of the class, as bytes: write it into every record."
                )
            yield SourceFile(
                path=entry.path,
                name=f"{entry.name}:{number:06}",
                label=label,
                size=len(example.encoded(features.ENCODED)),
                modified=entry.modified,
                split=SPLIT_NAMES.get(folder.removeprefix("split-")),
                record=record,
            )


def _examples(file: BinaryIO, path: str) -> Iterator[tuple[Record, Example]]:
    try:
        for offset, data in tfrecords.records(file):
            try:
                yield Record(offset, len(data)), Example(data)
            except ValueError as error:
                raise tfrecords.Damaged(offset) from error
    except tfrecords.Damaged as error:
        raise _damaged(path, error.offset) from error


def _damaged(path: str, offset: int) -> DataError:
    return DataError(
        f"data.source: {path} is cut off or no TFRecord file, at byte {offset}. Whole records, "
        "each a tf.train.Example, are needed: write it again."
    )


def _unpacked(path: str, modified: int | str) -> str:
    """A file in which records are found by offset: of a compressed one in this state, a copy."""
    if not path.lower().endswith(".gz"):
        return path
    with _one_at_a_time:  # threads that read its records would each make a copy
        return _copy(path, modified)


_one_at_a_time = threading.Lock()


@functools.cache
def _copy(path: str, modified: int | str) -> str:
    """The copies of this process lie in a temporary folder that goes with it."""
    with (
        open_bytes(path) as packed,
        gzip.open(packed) as file,
        tempfile.NamedTemporaryFile(dir=_copies().name, delete=False) as copy,
    ):
        try:
            shutil.copyfileobj(file, copy)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(
                f"data.source: {path} can't be unpacked ({error}). A whole gzip file is needed: "
                "write it again."
            ) from error
    return copy.name


@functools.cache
def _copies() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="transfer-pipeline-records-")
