"""Pictures as TFRecords of `tf.train.Example`, written without TensorFlow.

A worker process that only reads pictures would spend seconds on importing it. The formats are
fixed: protocol buffers' wire format for `Example` (tensorflow/core/example/example.proto), and the
record framing described in tensorflow/core/lib/io/record_writer.h.
"""

from __future__ import annotations

import struct

import google_crc32c

Value = bytes | int | float


def example(values: dict[str, Value]) -> bytes:
    """Gives a serialized `tf.train.Example` with one value per feature.

    Bytes become a BytesList, floats a FloatList, and ints, which must not be negative, an
    Int64List. Equal values give equal bytes.
    """
    entries = [
        part
        for key, value in values.items()
        for part in _field(1, [*_field(1, [key.encode()]), *_field(2, _feature(value))])
    ]
    return b"".join(_field(1, entries))


def framed(record: bytes) -> bytes:
    """Gives the record as it stands in a TFRecord file."""
    length = struct.pack("<Q", len(record))
    return b"".join([length, _masked_crc(length), record, _masked_crc(record)])


def _feature(value: Value) -> list[bytes]:
    if isinstance(value, bytes):
        return _field(1, _field(1, [value]))
    if isinstance(value, float):
        return _field(2, _field(1, [struct.pack("<f", value)]))
    return _field(3, _field(1, [_varint(value)]))


def _field(number: int, content: list[bytes]) -> list[bytes]:
    """A field of the wire type that a length precedes, in parts, so that pixels are copied once."""
    return [bytes([number << 3 | 2]), _varint(sum(map(len, content))), *content]


def _varint(value: int) -> bytes:
    """Seven bits per byte, the lowest first; the eighth says that more follow."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _masked_crc(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
