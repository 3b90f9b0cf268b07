"""One feature of a serialized `tf.train.Example`, without TensorFlow.

By protocol buffers' wire format: https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from collections.abc import Iterator

_BYTES = 2  # the wire type of bytes and messages


def bytes_feature(example: bytes, name: str) -> bytes:
    """Gives the first value of a feature; nothing where there is none, or not of bytes.

    Raises:
      ValueError: this is no Example.
    """
    try:
        return _bytes_feature(example, name)
    except IndexError as error:
        raise ValueError("a field runs over its message's end") from error


def _bytes_feature(example: bytes, name: str) -> bytes:
    """Example {1: Features {1 repeated: {1: name, 2: Feature {1: BytesList {1: value}}}}}"""
    for features_message in _fields(example, 1):
        for entry in _fields(features_message, 1):
            if next(_fields(entry, 1), b"") == name.encode():
                for feature in _fields(entry, 2):
                    for values in _fields(feature, 1):
                        return next(_fields(values, 1), b"")
    return b""


def _fields(message: bytes, number: int) -> Iterator[bytes]:
    """The fields of a message that have this number and hold bytes."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        kind = tag & 7
        if kind == _BYTES:
            length, position = _varint(message, position)
            if position + length > len(message):
                raise ValueError("a field runs over its message's end")
            if tag >> 3 == number:
                yield message[position : position + length]
            position += length
        elif kind == 0:
            _, position = _varint(message, position)
        elif kind in (1, 5):
            position += 8 if kind == 1 else 4
        else:
            raise ValueError(f"unknown wire type {kind}")


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
