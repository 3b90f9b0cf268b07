"""TFRecord files of one split: where its records lie, and how many there are."""

from __future__ import annotations

import os
import struct

import tensorflow as tf

_HEADER, _FOOTER = 12, 4  # bytes around a record: its length and that one's checksum; a checksum


def files(folder: str) -> list[str]:
    """Gives a split's files, in the order in which they were written."""
    return sorted(tf.io.gfile.glob(os.path.join(folder, "*")))


def count(folder: str) -> int:
    """Gives the number of a split's records, reading their lengths alone."""
    return sum(len(positions(file)) for file in files(folder))


def positions(file: str) -> list[tuple[int, int]]:
    """Gives offset and length in bytes of each record of a file without compression."""
    found = []
    with tf.io.gfile.GFile(file, "rb") as opened:
        while header := opened.read(_HEADER):
            (length,) = struct.unpack("<Q", header[:8])
            found.append((opened.tell(), length))
            opened.seek(opened.tell() + length + _FOOTER)
    return found
