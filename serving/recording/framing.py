"""The frame of a record in a TFRecord file, for an install without TensorFlow.

The format is described in tensorflow/core/lib/io/record_writer.h; the checksum is CRC-32C
(Castagnoli, reflected polynomial 0x82F63B78), masked as in tensorflow/core/lib/hash/crc32c.h.
Nothing light writes it: TensorFlow takes seconds to import, TensorBoard's writer computes its
checksums in Python as well, and Beam's is private and runs as a transform of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

_POLYNOMIAL = 0x82F63B78
_BITS = 0xFFFFFFFF


def _row(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_TABLE = tuple(map(_row, range(256)))


def crc32c(data: bytes) -> int:
    """Returns the checksum of some kilobytes; a tenth of a millisecond each, in Python."""
    value = _BITS
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ _BITS


def _masked(value: int) -> bytes:
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & _BITS)


def framed(record: bytes, checksum: Callable[[bytes], int] = crc32c) -> bytes:
    """Returns a record as it stands in a file: length, its checksum, the record, its checksum.

    Args:
        record: the bytes.
        checksum: CRC-32C, by a library where there are more than a few records.
    """
    length = struct.pack("<Q", len(record))
    return b"".join([length, _masked(checksum(length)), record, _masked(checksum(record))])
