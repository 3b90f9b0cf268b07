"""A picture's file, of which the header has been read, and its decoding by Pillow."""

from __future__ import annotations

import io

from PIL import Image, UnidentifiedImageError

from serving import jpeg_segments, jpeg_warnings, png_chunks
from serving.graph_decoder import decodes_alike
from serving.picture_formats import kind_of, readable

_ORIENTATION = 0x0112  # EXIF; 1 is upright, 2 to 8 turned or mirrored, anything else not valid
_TURNED, _SIDEWAYS = range(2, 9), range(5, 9)
MAX_SIDE_RATIO = 100  # beyond it nothing is left to see once resized to a square

# Behind a JPEG's last byte decoders look ahead by up to eight. Ones are no code: decoded as pixels
# they are at most a handful of blocks, so that a picture that is cut before runs out of data.
_AHEAD = b"\xff\x00" * 10
_TAIL = 4096  # bytes before the end marker in which padding is looked for


class PictureError(ValueError):
    """A file that cannot become a canonical picture.

    `reason` is one of a few fixed phrases, fit for counting; `str(error)` adds what was found.
    """

    def __init__(self, reason: str, found: str = "") -> None:
        super().__init__(f"{reason}: {found}" if found else reason)
        self.reason = reason


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Refuses too many pixels, and sides of which nothing is left once they are resized.

    Raises:
        PictureError: "too many pixels" or "absurd side ratio".
    """
    width, height = size
    if width * height > max_pixels:
        raise PictureError(
            "too many pixels", f"{width}x{height}, at most {max_pixels:,} in all are allowed"
        )
    if max(size) > MAX_SIDE_RATIO * min(size):
        raise PictureError(
            "absurd side ratio", f"{width}x{height}, at most {MAX_SIDE_RATIO} to 1 is allowed"
        )


def unidentified(data: bytes) -> PictureError:
    """Returns the refusal of what Pillow does not take for a picture."""
    return PictureError("not a picture", kind_of(data) or f"none of {', '.join(readable())}")


class Opened:
    """A file whose header Pillow has read; nothing is decoded yet."""

    def __init__(self, data: bytes, max_pixels: int) -> None:
        """Reads the header.

        Raises:
            PictureError: no picture, or one of a size that is not allowed.
        """
        self.data = png_chunks.without_much_text(data) if data.startswith(b"\x89PNG") else data
        self.jpeg = jpeg_segments.read(data) if data.startswith(b"\xff\xd8") else None
        self.is_counted = bool(self.jpeg and self.jpeg.plain and self.jpeg.is_one_scan)
        """Whether `load` notices where the data end before or after the pixels."""
        content = data[: self.jpeg.end] + _AHEAD if self.jpeg and self.is_counted else self.data
        self._file = io.BytesIO(content)
        try:
            self.image = Image.open(self._file, formats=readable())
        except UnidentifiedImageError:
            raise unidentified(data) from None
        check_size(self.image.size, max_pixels)
        self.format = self.image.format or ""
        self.size = self.image.size
        """Width and height in pixels, whatever of them is decoded."""
        self.alike = decodes_alike(self.image, self.data, self.jpeg)
        self.is_turned = self._orientation in _TURNED
        """Whether EXIF says that it has to be turned or mirrored."""
        self.turns_sides = self._orientation in _SIDEWAYS
        """Whether height and width change places."""

    @property
    def _orientation(self) -> int:
        """By EXIF; Pillow decodes a whole PNG to look for it, so not where no chunk can hold it."""
        if self.format == "PNG" and not png_chunks.may_hold_exif(self.data):
            return 1
        return int(self.image.getexif().get(_ORIENTATION, 1) or 1)

    @property
    def is_jpeg(self) -> bool:
        """Whether Pillow decodes it by libjpeg, at an eighth of its size where that is enough."""
        return self.format in ("JPEG", "MPO")

    def heard(self) -> jpeg_warnings.Heard:
        """Returns what libjpeg makes of a JPEG; padding that `load` looks at is no damage."""
        if self.jpeg is None:
            return jpeg_warnings.Heard(None)
        heard = jpeg_warnings.decode(self.data, self.size, self.image.mode)
        return jpeg_warnings.Heard(None) if heard.may_be_padding and self.is_counted else heard

    def check_scans(self) -> None:
        """Refuses a JPEG that lacks scans, which decoders show grey or coarse.

        Raises:
            PictureError: it does.
        """
        if self.jpeg and not self.jpeg.is_complete:
            raise PictureError("truncated or damaged", "scans of the picture are missing")

    def load(self, divisor: int = 1) -> bool:
        """Decodes the picture to its last pixel; a JPEG's height and width are divided.

        A JPEG of one scan is decoded without its end marker: at that, libjpeg would fill what is
        missing with grey. And its last byte is kept back: where no pixel needs it, the decoder has
        lost count before.

        Returns:
            Whether the pixels are those that the data stand for, as far as can be told.

        Raises:
            PictureError: a JPEG without some of its scans.
            OSError: the data are cut.
        """
        if self.is_jpeg:
            width, height = self.size
            self.image.draft(None, (max(1, width // divisor), max(1, height // divisor)))
        self.check_scans()
        if self.jpeg is None or not self.is_counted:
            warning = self.heard().warning
            self.image.load()
            return not self.is_jpeg or bool(self.jpeg and self.jpeg.plain and not warning)
        end = self.jpeg.end
        tail = self.data[max(0, end - _TAIL) : end]
        needed = end - (len(tail) - len(tail.rstrip(b"\0\xff"))) - 1
        self.image.decodermaxblock = needed
        within = self.jpeg.has_intervals and self.heard().warning
        self.image.load()
        return self._file.tell() > needed and self.jpeg.has_its_restarts and not within
