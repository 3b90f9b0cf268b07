"""How a record stands in a TFRecord file, described in tensorflow/core/lib/io/record_writer.h.

Written here because nothing light writes it: TensorFlow takes seconds to import, TensorBoard's
writer computes its checksums in Python, and Beam's is private and runs as a transform of its own.
"""

from __future__ import annotations

import struct

import google_crc32c


def framed(record: bytes) -> bytes:
    """Gives length, its checksum, the record, its checksum."""
    length = struct.pack("<Q", len(record))
    return b"".join([length, _masked_crc(length), record, _masked_crc(record)])


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
