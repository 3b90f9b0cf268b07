"""Measures a picture's brightness, contrast and sharpness, on what its fingerprint looks at too."""

from __future__ import annotations

import functools
import math

from PIL import Image, ImageFilter

from components.image_example_gen.verdicts import Row

KEY = "quality"
"""In a row of the ledger: brightness, contrast and sharpness, width, height and bytes."""

_MIDDLE = 128  # what stands for 0 in the filtered picture
_LAPLACIAN = functools.partial(ImageFilter.Kernel, (3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0))


def row_of(grey: Image.Image, size: tuple[int, int], length: int) -> Row:
    """Returns the ledger's entry on a picture.

    Brightness and contrast are mean and standard deviation of the grey levels in [0, 255],
    sharpness is the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000).

    Args:
      grey: some of its pixels, as `small_grey` returns them.
      size: the whole picture's width and height.
      length: bytes of its file.
    """
    brightness, variance = _moments(grey)
    sharpness = 0.0
    if min(grey.size) > 2:  # its border stays as it is
        edges = grey.filter(_LAPLACIAN(scale=1, offset=_MIDDLE))
        sharpness = _moments(edges.crop((1, 1, grey.width - 1, grey.height - 1)))[1]
    found = (brightness, math.sqrt(variance), sharpness)
    numbers = [*(f"{value:.1f}" for value in found), *size, length]
    return {KEY: " ".join(map(str, numbers))}


def _moments(grey: Image.Image) -> tuple[float, float]:
    """Returns mean and variance of the levels."""
    counts = grey.histogram()
    pixels = sum(counts)
    mean = sum(level * count for level, count in enumerate(counts)) / pixels
    square = sum(level * level * count for level, count in enumerate(counts)) / pixels
    return mean, max(0.0, square - mean * mean)
