"""The chunks of a PNG: whether libpng takes them, and what a reader can do without."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

_SIGNATURE = 8  # bytes
_MOST_TEXT = 1_000_000  # bytes, unpacked; Pillow refuses a picture with more in one chunk
_GREY, _PALETTE, _GREY_ALPHA = 0, 3, 4  # colour types
_BEFORE_TEXT = {b"zTXt": 1, b"iTXt": 2, b"iCCP": 1}  # bytes between name and what may be packed


class Chunk(NamedTuple):
    """One chunk."""

    kind: bytes
    start: int  # of its length, four bytes
    end: int  # behind its checksum


def chunks(data: bytes) -> Iterator[Chunk]:
    """Yields the chunks up to IEND, or to where the file is cut."""
    at, kind = _SIGNATURE, b""
    while kind != b"IEND" and at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        yield Chunk(kind, at, at + 12 + length)
        at += 12 + length


def is_sound(data: bytes) -> bool:
    """Checks whether the chunks stand as the standard says, with right checksums, up to IEND.

    libpng looks at that, Pillow does not: one header in front, at most one palette, before the
    pixels, and these in one row.
    """
    kinds: list[bytes] = []
    for kind, start, end in chunks(data):
        checksum = zlib.crc32(memoryview(data)[start + 4 : end - 4]).to_bytes(4, "big")
        if data[end - 4 : end] != checksum or not kind.isalpha():
            return False
        if kind == b"PLTE" and (end - start) % 3:  # 12 bytes around triples of colours
            return False
        if kind != b"IDAT" or kinds[-1:] != [kind]:  # one entry for a row of pixels' chunks
            kinds.append(kind)
    critical = [kind for kind in kinds if kind[:1].isupper()]
    colour_type = data[25]
    palettes = {_PALETTE: ([b"PLTE"],), _GREY: ([],), _GREY_ALPHA: ([],)}
    expected: tuple[list[bytes], ...] = palettes.get(
        colour_type, ([], [b"PLTE"])
    )  # in colour, a mere suggestion
    return kinds[:1] == [b"IHDR"] and critical in (
        [b"IHDR", *palette, b"IDAT", b"IEND"] for palette in expected
    )


def may_hold_exif(data: bytes) -> bool:
    """Checks whether there is EXIF, or a text, as which older programs wrote it."""
    return any(chunk.kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt") for chunk in chunks(data))


def without_much_text(data: bytes) -> bytes:
    """Returns the file without its texts if they are long; no text is part of a picture.

    Colour profiles beyond all sense go as well.
    """
    found = [chunk for chunk in chunks(data) if chunk.kind in (b"tEXt", *_BEFORE_TEXT)]
    texts = [chunk for chunk in found if chunk.kind != b"iCCP"]
    left_out = [chunk for chunk in found if chunk not in texts and _size(data, chunk) > _MOST_TEXT]
    if sum(_size(data, chunk) for chunk in texts) > _MOST_TEXT:
        left_out += texts
    if not left_out:
        return data
    kept, at = [], 0
    for chunk in sorted(left_out, key=lambda chunk: chunk.start):
        kept.append(data[at : chunk.start])
        at = chunk.end
    return b"".join([*kept, data[at:]])


def _size(data: bytes, chunk: Chunk) -> int:
    """Returns the bytes of a text or profile, unpacked up to the limit."""
    content = data[chunk.start + 8 : chunk.end - 4]
    name, _, rest = content.partition(b"\0")
    between = _BEFORE_TEXT.get(chunk.kind)
    if between is None or (chunk.kind == b"iTXt" and rest[:1] != b"\1"):
        return len(content)
    packed = rest[between:]
    if chunk.kind == b"iTXt":  # behind language and translated keyword
        packed = packed.partition(b"\0")[2].partition(b"\0")[2]
    try:
        return len(zlib.decompressobj().decompress(packed, _MOST_TEXT + 1))
    except zlib.error:
        return len(content)
