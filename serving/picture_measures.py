"""Measures a picture's brightness, contrast and sharpness: the same at ingest and when served."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image
from PIL.Image import Resampling

if TYPE_CHECKING:
    import numpy as np

_WIDTH, _HEIGHT = 9 * 16, 8 * 16  # 16 x 16 pixels per level of the coarse difference hash


def small_grey(image: Image.Image) -> Image.Image:
    """Returns some of a picture's pixels in grey, at most 144 wide and 128 high.

    Of large pictures 16 x 16 pixels per level are looked at: as good for this, and ten times as
    fast as all of them.
    """
    if image.width > _WIDTH or image.height > _HEIGHT:
        size = min(image.width, _WIDTH), min(image.height, _HEIGHT)
        image = image.resize(size, Resampling.NEAREST)
    return image if image.mode == "L" else image.convert("L")


def measured(grey: Image.Image) -> tuple[float, float, float]:
    """Returns brightness, contrast and sharpness, rounded to a tenth.

    Brightness and contrast are mean and standard deviation of the grey levels in [0, 255],
    sharpness is the variance of the Laplacian (Pech-Pacheco et al., ICPR 2000).

    Args:
        grey: some of its pixels, as `small_grey` returns them.
    """
    import numpy as np  # what lists files has no use for it

    # Bytes are handed over in a third of the time of Pillow's array interface.
    levels = np.frombuffer(grey.tobytes(), np.uint8).reshape(grey.height, grey.width)
    levels = levels.astype(np.int16)
    sharpness = 0.0
    if min(levels.shape) > 2:
        rows = levels[1:-1:2]  # every other one: half the time
        across = rows[:, :-2] + rows[:, 2:] - 4 * rows[:, 1:-1]
        down = levels[:-2:2, 1:-1] + levels[2::2, 1:-1]
        sharpness = _variance(across + down)
    # The sum of whole numbers is exact: the mean of NumPy's own method, in half of its time.
    found = (int(levels.sum()) / levels.size, math.sqrt(_variance(levels)), sharpness)
    brightness, contrast, sharpness = (float(f"{value:.1f}") for value in found)
    return brightness, contrast, sharpness


def _variance(values: np.ndarray) -> float:
    import numpy as np

    flat = values.astype("f4").ravel()
    flat -= np.float32(np.add.reduce(flat) / np.float32(flat.size))  # as its mean, in half the time
    return float(flat @ flat) / flat.size
