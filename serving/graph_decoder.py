"""Predicts what `tf.io.decode_image`, the decoder in the served graph, makes of a file.

Found by holding it (TensorFlow 2.16) against Pillow on whole, cut and damaged files of each format,
as tests/serving/test_pictures.py does: Pillow shows some files that TensorFlow refuses.
"""

from __future__ import annotations

import re
import struct
import zlib

from PIL import ImageFile


def decodes_alike(image: ImageFile.ImageFile, data: bytes) -> bool:
    """Whether the graph decodes `data` to the pixels Pillow decodes, colour profiles left aside.

    Args:
        image: `data` as opened by Pillow and not loaded yet; may be loaded on return.
        data: the whole file.
    """
    match image.format:
        case "JPEG" | "MPO":  # MPO: a JPEG with others behind it, where no decoder looks
            return _is_sound_jpeg(data)
        case "PNG":
            return _is_sound_png(data) and _palette_suffices(image)
        case "GIF":
            # TensorFlow insists on the trailer, decodes every frame to return the first, and
            # paints in black what that one leaves uncovered.
            covers = image.tile[0][1] == (0, 0, *image.size)
            animated = getattr(image, "is_animated", False)
            return covers and not animated and data.endswith(b"\0;") and _palette_suffices(image)
        case "BMP":
            return _is_plain_bmp(data)
    return False


_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # in a scan, the others are part of it
_SCAN, _END = 0xDA, 0xD9


def _is_sound_jpeg(data: bytes) -> bool:
    """Whether the segments, by the lengths they give themselves, lead over a scan to the end.

    One that damage brought about in a scan may lead past the end: TensorFlow follows it.
    """
    at, scans = 2, 0
    while marker := _MARKER.search(data, at):
        kind = data[marker.end() - 1]
        if kind == _END:
            return scans > 0
        scans += kind == _SCAN
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2], "big")
    return False


def _is_sound_png(data: bytes) -> bool:
    """At most 8 bit, all checksums right, the end there: libpng looks at them, Pillow does not."""
    if data[24] > 8:  # the bit depth
        return False
    at, kind = 8, b""
    while kind != b"IEND" and at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if data[end : end + 4] != zlib.crc32(data[at + 4 : end]).to_bytes(4, "big"):
            return False
        at = end + 4
    return kind == b"IEND"


def _is_plain_bmp(data: bytes) -> bool:
    """24 bit, uncompressed, exactly as long as it says: TensorFlow reads little else."""
    offset, header_size, width, height, bits, compression = struct.unpack_from(
        "<IIii2xHI", data, 10
    )
    row = (3 * width + 3) // 4 * 4
    plain = header_size >= 40 and bits == 24 and compression == 0  # 12: the old OS/2 header
    return plain and len(data) == offset + row * abs(height)


def _palette_suffices(image: ImageFile.ImageFile) -> bool:
    """Whether no pixel points past the palette: black to Pillow, the end to TensorFlow."""
    if image.mode != "P":
        return image.format != "GIF"  # a grey ramp whose length Pillow does not keep
    colours = len(image.getpalette() or ()) // 3
    return not any(image.histogram()[colours:])
