"""TFRecord files: how a record stands in one, where a split's records lie, how many there are.

The format is described in tensorflow/core/lib/io/record_writer.h. It is written here because
nothing light writes it: TensorFlow takes seconds to import, TensorBoard's writer computes its
checksums in Python, and Beam's is private and runs as a transform of its own.
"""

from __future__ import annotations

import os
import struct

import google_crc32c

_HEADER, _FOOTER = 12, 4  # bytes around a record: its length and that one's checksum; a checksum


def framed(record: bytes) -> bytes:
    """Returns a record as it stands in a file: length, its checksum, the record, its checksum."""
    length = struct.pack("<Q", len(record))
    return b"".join([length, _masked_crc(length), record, _masked_crc(record)])


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def files(folder: str) -> list[str]:
    """Returns a split's files, in the order in which they were written."""
    import tensorflow as tf  # the ingest frames records without it

    return sorted(tf.io.gfile.glob(os.path.join(folder, "*")))


def count(folder: str) -> int:
    """Returns the number of a split's records, reading their lengths alone."""
    return sum(len(positions(file)) for file in files(folder))


def positions(file: str) -> list[tuple[int, int]]:
    """Returns offset and length in bytes of each record of a file without compression."""
    import tensorflow as tf

    found = []
    with tf.io.gfile.GFile(file, "rb") as opened:
        while header := opened.read(_HEADER):
            (length,) = struct.unpack("<Q", header[:8])
            found.append((opened.tell(), length))
            opened.seek(opened.tell() + length + _FOOTER)
    return found
