"""Pictures like photographs: shapes with noise, so that every block of a JPEG holds something."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from tests.serving.samples import colours


def photograph(width: int = 320, height: int = 240, grey: bool = False) -> Image.Image:
    """An RGB or grey picture, larger than what is encoded as PNG; the same one at each call."""
    normal = np.random.default_rng(0).normal(128, 60, (height, width))
    noise = Image.fromarray(normal.clip(0, 255).astype(np.uint8))
    image = Image.blend(
        colours().resize((width, height), Image.Resampling.BICUBIC),
        Image.merge("RGB", [noise, noise.transpose(Image.Transpose.ROTATE_180), noise]),
        0.4,
    )
    return image.convert("L") if grey else image


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))
