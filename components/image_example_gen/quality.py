"""A picture's brightness, contrast and sharpness, on what its fingerprint looks at, too."""

from __future__ import annotations

from PIL import Image

from components.image_example_gen.verdicts import Row
from serving.picture_measures import measured

KEY = "quality"
"""In a row of the ledger: brightness, contrast and sharpness, width, height and bytes."""


def row_of(grey: Image.Image, size: tuple[int, int], length: int) -> Row:
    """Returns the ledger's entry on a picture; see `serving.picture_measures.measured`.

    Args:
      grey: some of its pixels, as `small_grey` returns them.
      size: the whole picture's width and height.
      length: bytes of its file.
    """
    return {KEY: " ".join(map(str, [*measured(grey), *size, length]))}
