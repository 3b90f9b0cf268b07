"""The one place where a picture becomes canonical, for ingest and for the client alike.

The served graph can only decode. What a decoder leaves undone (EXIF orientation, colour profiles,
CMYK, transparency, 16 bit) is done here, once, before the bytes are stored or sent.
"""

from __future__ import annotations

import functools
import io
import itertools
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageChops, ImageCms, ImageOps, UnidentifiedImageError

from serving.graph_decoder import decodes_alike

Format = Literal["jpeg", "png", "gif", "bmp"]

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".webp", ".tif", ".tiff"}
)
"""Suffixes (lower case, with the dot) of the files that ingest and the client take for pictures."""

MAX_PIXELS = 64_000_000
"""Height x width allowed by default; 192 MB once decoded."""

_MAX_SIDE_RATIO = 100  # beyond it nothing is left to see once resized to a square
_READABLE = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")  # none that runs a program (EPS does)
_FORMATS: dict[str, Format] = {
    "JPEG": "jpeg",
    "MPO": "jpeg",
    "PNG": "png",
    "GIF": "gif",
    "BMP": "bmp",
}
_CHANNELS = {"1": 1, "L": 1, "P": 3, "RGB": 3}
_ORIENTATION = 0x0112  # EXIF; 1 is upright, 2 to 8 turned or mirrored, anything else not valid
_TURNED = range(2, 9)
_SAME_COLOUR = 4  # of 255: the most by which two makes of sRGB profile differ; Display P3 is 20 off


class PictureError(ValueError):
    """A file that cannot become a canonical picture.

    `reason` is one of a few fixed phrases, fit for counting; `str(error)` adds what was found.
    """

    def __init__(self, reason: str, found: str = "") -> None:
        super().__init__(f"{reason}: {found}" if found else reason)
        self.reason = reason


@dataclass(frozen=True)
class Picture:
    """A picture as `tf.io.decode_image(encoded, channels=3, expand_animations=False)` reads it.

    `height`, `width` (pixels) and `channels` (1 for grey, 3 for colour) are those of `encoded`.
    """

    encoded: bytes
    format: Format
    height: int
    width: int
    channels: int


def canonical(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Returns the picture in `data` upright by EXIF, in sRGB with 8 bit per channel, and opaque.

    What is canonical already keeps its bytes. Everything else is encoded anew, losslessly, as PNG:
    the first frame of an animation, transparency laid over white, 16 bit cut to their upper 8,
    embedded colour profiles applied. Every picture is decoded to its last pixel on the way, so
    that a server can decode what comes back.

    Args:
        data: the bytes of a JPEG, PNG, GIF, BMP, WebP or TIFF file.
        max_pixels: height x width allowed, checked before anything is decoded. Above 178 million
            Pillow's own limit holds.

    Raises:
        PictureError: `reason` is one of "empty file", "not a picture", "too many pixels",
            "absurd side ratio", "truncated or damaged", "unsupported pixels".
    """
    return canonical_and_pixels(data, max_pixels=max_pixels)[0]


def canonical_and_pixels(
    data: bytes, *, max_pixels: int = MAX_PIXELS
) -> tuple[Picture, Image.Image]:
    """Does what `canonical` does, and returns the decoded pixels of the canonical picture as well.

    They are of mode 1, L, P or RGB, and may be reduced to an eighth of the picture's height and
    width: all of a JPEG's data is read for that, at two thirds of the cost.
    """
    if not data:
        raise PictureError("empty file")
    try:
        image = Image.open(io.BytesIO(data), formats=_READABLE)  # reads the header only
        _check_size(image.size, max_pixels)
        size = image.size
        alike = decodes_alike(image, data)
        if image.format in ("JPEG", "MPO") and alike and _is_canonical(image):
            image.draft(None, (max(1, size[0] // 8), max(1, size[1] // 8)))
        image.load()
        if alike and _is_canonical(image):
            return _picture(data, _FORMATS[image.format or ""], size, image.mode), image
        return _as_png(image)
    except PictureError:
        raise
    except UnidentifiedImageError:
        raise PictureError("not a picture", f"none of {', '.join(_READABLE)}") from None
    except Image.DecompressionBombError as error:
        raise PictureError("too many pixels", str(error)) from error
    except Exception as error:  # Pillow's decoders raise whatever damaged bytes lead them to
        raise PictureError("truncated or damaged", str(error) or type(error).__name__) from error


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise PictureError(
            "too many pixels", f"{width}x{height}, at most {max_pixels:,} in all are allowed"
        )
    if max(size) > _MAX_SIDE_RATIO * min(size):
        raise PictureError(
            "absurd side ratio", f"{width}x{height}, at most {_MAX_SIDE_RATIO} to 1 is allowed"
        )


def _is_canonical(image: Image.Image) -> bool:
    """Whether a decoder alone, blind to metadata, decodes what a viewer would show."""
    return (
        image.mode in _CHANNELS
        and not image.has_transparency_data
        and image.getexif().get(_ORIENTATION) not in _TURNED
        and _to_srgb(_colour_mode(image), image.info.get("icc_profile")) is None
    )


def _as_png(source: Image.Image) -> tuple[Picture, Image.Image]:
    profile = source.info.get("icc_profile")
    ImageOps.exif_transpose(source, in_place=True)
    image = _over_white(_eight_bit(source))
    transform = _to_srgb(_colour_mode(image), profile)
    if transform is not None:
        image = transform.apply(image.convert(_colour_mode(image)))
    elif image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    image.info.clear()  # what mattered in it is in the pixels now
    encoded = io.BytesIO()
    image.save(encoded, "PNG", compress_level=3)  # half of level 6's time, 10 % larger
    return _picture(encoded.getvalue(), "png", image.size, image.mode), image


def _picture(encoded: bytes, format: Format, size: tuple[int, int], mode: str) -> Picture:
    width, height = size
    return Picture(encoded, format, height, width, _CHANNELS[mode])


def _eight_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # the upper byte, as TensorFlow's own decoder does it
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.mode in ("I", "F"):
        raise PictureError(
            "unsupported pixels", "32 bit per channel say not which value is white: save as 8 or 16"
        )
    return image


def _over_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    picture = image.convert("RGBA")
    background = Image.new("RGB", picture.size, "white")
    background.paste(picture, mask=picture)
    return background


def _colour_mode(image: Image.Image) -> str:
    """The mode that colour profiles speak of: palettes hold RGB."""
    return "RGB" if image.mode == "P" else image.mode


@functools.lru_cache(maxsize=16)  # pictures of one source share their profile
def _to_srgb(mode: str, profile: bytes | None) -> ImageCms.ImageCmsTransform | None:
    """The transform of `mode` pixels from `profile` to sRGB; None where there is nothing to do.

    A profile that cannot be read, or does not fit the mode, is ignored, as viewers do.
    """
    if not profile:
        return None
    try:
        transform = ImageCms.buildTransform(
            io.BytesIO(profile), ImageCms.createProfile("sRGB"), mode, "RGB"
        )
    except ImageCms.PyCMSError:
        return None
    levels = itertools.product(range(0, 256, 51), repeat=3)
    probe = Image.frombytes("RGB", (216, 1), bytes(itertools.chain(*levels))).convert(mode)
    change = ImageChops.difference(transform.apply(probe), probe.convert("RGB"))
    return transform if max(change.tobytes()) > _SAME_COLOUR else None
