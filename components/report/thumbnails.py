"""Pictures small enough to stand inside the page."""

from __future__ import annotations

import base64
import io

import matplotlib
import numpy as np
from PIL import Image, ImageOps

_STRENGTH = 0.6  # of a heat map's hottest place over the picture


def thumbnail(encoded: bytes, side: int) -> str:
    """Returns an encoded picture, at most `side` pixels wide and high, as a `data:` address."""
    picture = Image.open(io.BytesIO(encoded)).convert("RGB")
    picture.thumbnail((side, side))
    return _address(picture)


def heated(encoded: bytes, heat: np.ndarray, size: list[int], fit: str, side: int) -> str:
    """Returns the network's view of a picture under its heat map, as a JPEG's `data:` address.

    Args:
      encoded: the picture.
      heat: [rows, columns] float32 in [0, 1], over the network's whole input.
      size: the input's height and width in pixels.
      fit: how pictures are fitted to it.
      side: how many pixels the result is wide or high.
    """
    picture = Image.open(io.BytesIO(encoded)).convert("RGB")
    scale = side / max(size)
    target = (max(1, round(size[1] * scale)), max(1, round(size[0] * scale)))
    fitted = {"crop": ImageOps.fit, "pad": ImageOps.pad}.get(fit, Image.Image.resize)
    seen = np.asarray(fitted(picture, target), np.float32)
    smooth = Image.fromarray(heat.astype(np.float32)).resize(target, Image.Resampling.BICUBIC)
    strength = np.clip(np.asarray(smooth), 0, 1)[..., np.newaxis]
    colour = 255 * matplotlib.colormaps["inferno"](strength[..., 0])[..., :3]
    mixed = seen + _STRENGTH * strength * (colour - seen)
    return _address(Image.fromarray(mixed.astype(np.uint8)))


def _address(picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"
