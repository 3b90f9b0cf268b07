"""A fingerprint of what a picture shows, for finding near-duplicates."""

from __future__ import annotations

import itertools

from PIL import Image
from PIL.Image import Resampling

from serving.picture_measures import small_grey

__all__ = ["difference_hash", "small_grey"]

_COARSE, _FINE = 8, 16  # bits to a side


def difference_hash(image: Image.Image) -> str:
    """Returns 80 hexadecimal digits, which scaling and lossy encoding hardly change.

    The first 16 are a coarse hash, by which like pictures are looked up; the other 64 a fine one,
    which tells apart those that only share their outlines, as products before one camera do. The
    picture is reduced to 8 rows of 9 grey levels, and to 16 of 17; a bit says whether a level is
    higher than its left neighbour (N. Krawetz, "Kind of Like That", hackerfactor.com, 2013).

    Args:
      image: of mode 1, L, P or RGB.
    """
    grey = small_grey(image)
    return _rising(grey, _COARSE) + _rising(grey, _FINE)


def _rising(image: Image.Image, side: int) -> str:
    width = side + 1
    levels = image.resize((width, side), Resampling.BOX).tobytes()
    rows = (levels[at : at + width] for at in range(0, len(levels), width))
    bits = ["01"[right > left] for row in rows for left, right in itertools.pairwise(row)]
    return f"{int(''.join(bits), 2):0{side * side // 4}x}"
