"""A fingerprint of what a picture shows, for finding near-duplicates."""

from __future__ import annotations

from PIL import Image
from PIL.Image import Resampling

from serving.picture_measures import small_grey

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
    import numpy as np  # what lists files has no use for it

    small = image.resize((side + 1, side), Resampling.BOX)
    levels = np.frombuffer(small.tobytes(), np.uint8).reshape(side, side + 1)
    return np.packbits(levels[:, 1:] > levels[:, :-1]).tobytes().hex()
