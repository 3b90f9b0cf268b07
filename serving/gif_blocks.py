"""The blocks of a GIF: whether giflib, TensorFlow's decoder, takes them."""

from __future__ import annotations

_SCREEN = 13  # bytes of signature and screen descriptor
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B


def is_sound(data: bytes) -> bool:
    """Checks whether block follows on block to a trailer that ends the file.

    Pillow passes over bytes that begin no block; giflib ends there.
    """
    try:
        at = _SCREEN + _palette(data[10])
        while data[at] != _TRAILER:
            if data[at] == _EXTENSION:
                at = _behind_parts(data, at + 2)
            elif data[at] == _IMAGE:
                codes = at + 10 + _palette(data[at + 9])
                at = _behind_parts(data, codes + 1)
            else:
                return False
    except IndexError:
        return False
    return at == len(data) - 1


def _palette(flags: int) -> int:
    """Returns the bytes of the palette that a descriptor announces."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _behind_parts(data: bytes, at: int) -> int:
    """Returns where a row of parts ends, each of which begins with its length."""
    while data[at]:
        at += data[at] + 1
    return at + 1
