"""Reads a picture's file, and of a large one no more than its header says a picture can have."""

from __future__ import annotations

from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from serving.opened_picture import PictureError, check_size, unidentified
from serving.picture_formats import readable

READ_AT_ONCE = 16 * 2**20  # bytes; larger files are looked at first
_BESIDE_PIXELS = 64 * 2**20  # bytes of metadata, previews, a film of a second
_PER_PIXEL = 16  # bytes: four channels of 32 bit


def read_picture(file: BinaryIO, max_pixels: int) -> bytes:
    """Returns the content of a file that is to be a picture.

    Of one over 16 MB the header is read first, and no more is read than 16 bytes per pixel and
    64 MB beside them.

    Raises:
        PictureError: no picture, or one that is too large, of a file over 16 MB.
        OSError: it can't be read.
    """
    start = file.read(READ_AT_ONCE)
    if len(start) < READ_AT_ONCE or not file.seekable():
        return start + file.read()
    limit = _most_bytes(file, start, max_pixels)
    file.seek(len(start))
    rest = file.read(limit - len(start) + 1)
    if len(start) + len(rest) > limit:
        raise PictureError(
            "too many bytes", f"over {limit:,}, which no picture of its height and width has"
        )
    return start + rest


def _most_bytes(file: BinaryIO, start: bytes, max_pixels: int) -> int:
    file.seek(0)
    try:
        image = Image.open(file, formats=readable())
    except UnidentifiedImageError:
        raise unidentified(start) from None
    except Image.DecompressionBombError as error:
        raise PictureError("too many pixels", str(error)) from error
    except (ValueError, SyntaxError, EOFError):  # the whole file may tell more
        return _BESIDE_PIXELS
    check_size(image.size, max_pixels)
    return max(len(start), _BESIDE_PIXELS + _PER_PIXEL * image.width * image.height)
