"""TFRecord files: how a record stands in one, where a split's records lie, how they are read.

The format is described in tensorflow/core/lib/io/record_writer.h.
"""

from __future__ import annotations

import itertools
import os
import struct
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from components.files.paths import is_remote
from serving.recording import framing

if TYPE_CHECKING:
    import tensorflow as tf

HEADER, _FOOTER = 12, 4
"""Bytes around a record: its length and that one's checksum; a checksum."""

_AHEAD = 32  # records read before they are asked for, from other machines
_LARGEST = 2**31  # a record is a protocol buffer, which can't be larger


class Damaged(ValueError):
    """A file is cut off or holds no records."""

    def __init__(self, offset: int):
        super().__init__(f"cut off or no TFRecord file, at byte {offset}")
        self.offset = offset


class Record(NamedTuple):
    """One record of a file."""

    offset: int
    data: bytes


def framed(record: bytes) -> bytes:
    """Returns a record as it stands in a file: length, its checksum, the record, its checksum."""
    import google_crc32c  # part of the extra `pipeline`; the base install has this module, too

    return framing.framed(record, google_crc32c.value)


def records(file: BinaryIO) -> Iterator[Record]:
    """Reads the records of an open file without TensorFlow; checksums are not looked at.

    Raises:
      Damaged: the file is cut off or holds something else.
    """
    offset = 0
    while header := file.read(HEADER):
        offset += HEADER
        length = _length(header) if len(header) == HEADER else 0
        data = file.read(min(length + _FOOTER, _LARGEST))
        if len(header) < HEADER or len(data) < length + _FOOTER:
            raise Damaged(offset)
        yield Record(offset, data[:length])
        offset += length + _FOOTER


def _length(header: bytes) -> int:
    return int(struct.unpack("<Q", header[:8])[0])


def files(folder: str) -> list[str]:
    """Returns a split's files, in the order in which they were written."""
    if is_remote(folder):
        from tfx.dsl.io import fileio

        return sorted(map(str, fileio.glob(os.path.join(folder, "*"))))
    import tensorflow as tf  # the ingest frames records without it

    return sorted(tf.io.gfile.glob(os.path.join(folder, "*")))


def count(folder: str) -> int:
    """Returns the number of a split's records, reading their lengths alone."""
    return sum(len(positions(file)) for file in files(folder))


def positions(file: str) -> list[tuple[int, int]]:
    """Returns offset and length in bytes of each record of a file without compression."""
    found = []
    offset = HEADER
    with opened(file) as records_file:
        while header := records_file.read(HEADER):
            length = _length(header)
            found.append((offset, length))
            records_file.seek(offset + length + _FOOTER)
            offset += length + _FOOTER + HEADER
    return found


def records_at(file: str, offsets: Iterable[int]) -> Iterator[bytes]:
    """Yields the records that begin at these bytes of a file without compression."""
    with opened(file) as records_file:
        for offset in offsets:
            records_file.seek(offset)
            yield records_file.read(_length(records_file.read(HEADER)))


def opened(file: str) -> BinaryIO:
    """Opens a file for reading at places far apart.

    TensorFlow's own reader takes ten times as long to open a local file, and reads ahead.
    """
    if not is_remote(file):
        return open(file, "rb", buffering=0)
    from tfx.dsl.io import fileio

    from components.files import tfx_plugin

    tfx_plugin.register()  # a worker of Beam's reads a store by nothing else
    return cast(BinaryIO, fileio.open(file, "rb"))


def read_records(folder: str) -> tf.data.Dataset:
    """Returns the records of one split, in the order in which they were written."""
    return read_files(files(folder))


def read_files(paths: list[str]) -> tf.data.Dataset:
    """Returns the records of these files, one file after the other, from where they lie."""
    import tensorflow as tf

    if any(map(is_remote, paths)):  # TensorFlow reaches few of the file systems that TFX does
        kind = tf.TensorSpec([], tf.string)
        return tf.data.Dataset.from_generator(
            lambda: itertools.chain.from_iterable(map(records_of, paths)), output_signature=kind
        ).prefetch(_AHEAD)
    return tf.data.TFRecordDataset(paths, num_parallel_reads=1)


def records_of(path: str) -> Iterator[bytes]:
    """Yields the records of a file from where it lies, without TensorFlow."""
    with opened(path) as file:
        for record in records(file):
            yield record.data


def write(path: str, content: Iterable[bytes]) -> None:
    """Writes a file of records by TensorFlow."""
    import tensorflow as tf

    with tf.io.TFRecordWriter(path) as writer:
        for record in content:
            writer.write(record)
