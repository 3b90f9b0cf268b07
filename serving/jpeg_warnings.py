"""Damage within a JPEG's scans that decoders pass over, by libjpeg's own warnings.

Neither Pillow nor TensorFlow returns them; simplejpeg does. The pipeline has it; of a client
it is an extra (`jpeg`), without which such damage goes unnoticed.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any

_EIGHTH = 8  # of the sides: all data are read, at a part of the cost
_DAMAGE = ("Corrupt JPEG data", "Premature end", "Inconsistent progression")
"""How the warnings begin that tell of damage; others tell of what is merely unusual."""


@functools.cache
def _simplejpeg() -> Any:
    """Returns the module; None where it is not installed."""
    found = importlib.util.find_spec("simplejpeg")
    return importlib.import_module("simplejpeg") if found else None


def tell_of_damage(data: bytes, size: tuple[int, int]) -> bool:
    """Whether libjpeg warns of damage while it decodes; False where nobody can say.

    Args:
        data: of a JPEG.
        size: its width and height in pixels.
    """
    library = _simplejpeg()
    if library is None:
        return False
    width, height = (max(1, side // _EIGHTH) for side in size)
    try:
        library.decode_jpeg(
            data, "GRAY", min_height=height, min_width=width, min_factor=1, strict=True
        )
    except ValueError as error:
        return str(error).startswith(_DAMAGE)
    return False
