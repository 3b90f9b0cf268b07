"""Decodes JPEGs by a library that returns libjpeg's own warnings, which tell of damage.

Neither Pillow nor TensorFlow returns them; simplejpeg does. The pipeline has it; of a client
it is an extra (`jpeg`), without which damage that leaves the codes in step goes unnoticed.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
from typing import Any, NamedTuple

from PIL import Image

_EIGHTH = 8  # of the sides: all data are read, at a part of the cost
_DAMAGE = ("Corrupt JPEG data", "Premature end", "Inconsistent progression")
"""How the warnings begin that tell of damage; others tell of what is merely unusual."""
_PADDING = "extraneous bytes before marker 0xd9"  # the end; some cameras fill up with zeros
_COLOURS = {"L": "GRAY", "RGB": "RGB"}


class Heard(NamedTuple):
    """A JPEG as libjpeg decodes it, or its warning of damage."""

    image: Image.Image | None
    """An eighth of the sides, where it warns of nothing; None also where nobody can say."""
    warning: str = ""
    """Of damage; empty where there is none, or nobody can say."""

    @property
    def may_be_padding(self) -> bool:
        """Whether there are merely bytes between the picture and its end marker."""
        return self.warning.endswith(_PADDING)


@functools.cache
def _simplejpeg() -> Any:
    """Returns the module; None where it is not installed."""
    found = importlib.util.find_spec("simplejpeg")
    return importlib.import_module("simplejpeg") if found else None


def decode(data: bytes, size: tuple[int, int], mode: str) -> Heard:
    """Returns a JPEG at an eighth of its sides, or what libjpeg warns of while it decodes.

    Args:
        data: of a JPEG.
        size: its width and height in pixels.
        mode: Pillow's, of its pixels; of others than L and RGB nobody can say.
    """
    library = _simplejpeg()
    if library is None or mode not in _COLOURS:
        return Heard(None)
    width, height = (max(1, side // _EIGHTH) for side in size)
    try:
        pixels = library.decode_jpeg(
            data, _COLOURS[mode], min_height=height, min_width=width, min_factor=1, strict=True
        )
    except ValueError as error:
        return Heard(None, str(error) if str(error).startswith(_DAMAGE) else "")
    return Heard(Image.fromarray(pixels[..., 0] if mode == "L" else pixels))
