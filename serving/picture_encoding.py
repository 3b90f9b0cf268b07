"""Encodes a converted picture anew: losslessly, or as finely as the photograph it came from."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, JpegImagePlugin

from serving.opened_picture import Opened

_SMALL = 1 << 16  # pixels: as PNG in a millisecond or two, and its bytes don't count
_FINE = {"quality": 95, "subsampling": "4:2:0"}  # without the source's tables
_EVEN_SAMPLINGS = (0, 2)  # 4:4:4 and 4:2:0, which are the same when turned
_LOSSY = ("JPEG", "MPO", "AVIF", "HEIF", "JPEG2000")


def divisor(opened: Opened, least_side: int) -> int:
    """Returns 1, 2, 4 or 8: by what a JPEG that is encoded anew is reduced when it is decoded."""
    side = min(opened.size)
    return next((by for by in (8, 4, 2) if opened.is_jpeg and side // by >= least_side), 1)


def options(opened: Opened, divisor: int) -> dict[str, Any] | None:
    """Returns how a photograph is saved as JPEG; None where the picture was saved without loss.

    A JPEG's own tables make a file of its own size, and hardly a loss where the picture lies on
    the same blocks again: that a turn swaps rows and columns holds for the tables, too.

    Args:
        opened: not loaded or turned yet.
        divisor: by which it is to be reduced.
    """
    if not _is_lossy(opened):
        return None
    image = opened.image
    own = isinstance(image, JpegImagePlugin.JpegImageFile) and image.mode in ("L", "RGB")
    if not own or divisor > 1:
        return _FINE
    assert isinstance(image, JpegImagePlugin.JpegImageFile)
    tables = [list(table) for _, table in sorted(image.quantization.items())]
    sampling = JpegImagePlugin.get_sampling(image)
    if opened.turns_sides:
        tables = [[table[8 * (at % 8) + at // 8] for at in range(64)] for table in tables]
        sampling = sampling if sampling in _EVEN_SAMPLINGS else 0
    return {"qtables": tables, "subsampling": max(0, sampling)}


def encoded(image: Image.Image, photograph: dict[str, Any] | None) -> tuple[bytes, str]:
    """Returns a picture of mode 1, L or RGB as a file's bytes, and their format, png or jpeg.

    Args:
        image: the picture.
        photograph: what `options` returned.
    """
    out = io.BytesIO()
    if photograph is None or image.width * image.height <= _SMALL or image.mode == "1":
        image.save(out, "PNG", compress_level=3)  # half of level 6's time, 10 % larger
        return out.getvalue(), "png"
    image.save(out, "JPEG", **photograph)
    return out.getvalue(), "jpeg"


def _is_lossy(opened: Opened) -> bool:
    if opened.format == "WEBP":
        return b"VP8L" not in opened.data[:64]
    return opened.format in _LOSSY
