"""Pictures on any file system, read no further than a look at their header allows."""

from __future__ import annotations

from components.files import reading
from serving import picture_files
from serving.pictures import PictureError


def read_picture(path: str, max_pixels: int) -> bytes:
    """Returns the bytes of a picture's file, after a look at its header where it is large.

    Raises:
      OSError: it can't be read.
      PictureError: no picture of at most `max_pixels`.
    """
    with reading(path, PictureError) as opened:
        return picture_files.read_picture(opened, max_pixels)
