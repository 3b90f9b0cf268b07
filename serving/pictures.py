"""The one place where a picture becomes canonical, for ingest and for the client alike.

The served graph can only decode. What a decoder leaves undone (EXIF orientation, colour profiles,
CMYK, transparency, 16 bit) is done here, once, before the bytes are stored or sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

from PIL import Image

from serving import picture_encoding
from serving.opened_picture import Opened, PictureError
from serving.picture_conversion import DAMAGED, convert, has_foreign_colours
from serving.picture_formats import SUFFIXES
from serving.picture_settings import DEFAULT, MAX_PIXELS, PictureSettings

__all__ = [
    "MAX_PIXELS",
    "SUFFIXES",
    "Decode",
    "Picture",
    "PictureError",
    "Refused",
    "canonical",
    "canonical_and_pixels",
    "decode",
]

Format = Literal["jpeg", "png", "gif", "bmp"]

REFUSED = "refused by the decoder of the graph"
RECODED = "in a form that the graph does not read"

_FORMATS: dict[str, Format] = {
    "JPEG": "jpeg",
    "MPO": "jpeg",
    "PNG": "png",
    "GIF": "gif",
    "BMP": "bmp",
}
_WITHOUT_16_BIT = (b"\xff\xd8", b"GIF8", b"BM", b"RIFF")  # how their files begin
_CHANNELS = {"1": 1, "L": 1, "P": 3, "RGB": 3}


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
    done: tuple[str, ...] = ()
    """Why it was encoded anew, in a few fixed phrases; empty where it keeps its bytes."""
    values: tuple[int, int] | None = None
    """The lowest and the highest value, of a picture that had 16 bit."""


class Refused(Exception):
    """The bytes of a picture cannot stay as they are; the argument is one of the fixed phrases."""


Decode = Callable[[Opened], Image.Image]
"""Decodes a picture that could keep its bytes, and returns its pixels, maybe reduced to an eighth
of height and width. Raises `Refused` where the picture has to be encoded anew, and any other
exception where it is damaged."""


def decode(opened: Opened) -> Image.Image:
    """Decodes a JPEG to an eighth, all its data at two thirds of the cost; all others by Pillow.

    Raises:
        Refused: a JPEG is damaged where decoders go on.
        PictureError: a JPEG without some of its scans.
        OSError: the data are cut.
    """
    opened.check_scans()
    heard = opened.heard()
    if heard.image is not None:
        return heard.image
    if not opened.load(divisor=8) or heard.warning:
        raise Refused(DAMAGED)
    return opened.image


def canonical(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    settings: PictureSettings = DEFAULT,
) -> Picture:
    """Returns the picture in `data` upright by EXIF, in sRGB with 8 bit per channel, and opaque.

    What is canonical already keeps its bytes. Everything else is encoded anew: the first frame of
    an animation, transparency laid over a background, 16 bit made 8, embedded colour profiles
    applied. Photographs (what was saved with loss) become JPEGs, with a JPEG's own tables, and keep
    more pixels than the network reads; all others, and small ones, become PNGs. Every
    picture is decoded to its last pixel on the way, so that a server can decode what comes back.

    Args:
        data: the bytes of a JPEG, PNG, GIF, BMP, WebP or TIFF file, or of what else
            `serving.picture_formats.readable` names.
        max_pixels: height x width allowed, checked before anything is decoded. Above 178 million
            Pillow's own limit holds.
        settings: of the model that the picture is for.

    Raises:
        PictureError: `reason` is one of "empty file", "not a picture", "too many pixels",
            "absurd side ratio", "truncated or damaged", "unsupported pixels".
    """
    return canonical_and_pixels(data, max_pixels=max_pixels, settings=settings)[0]


def canonical_and_pixels(
    data: bytes,
    *,
    max_pixels: int = MAX_PIXELS,
    settings: PictureSettings = DEFAULT,
    decode: Decode = decode,
) -> tuple[Picture, Image.Image]:
    """Does what `canonical` does, and returns the decoded pixels of the canonical picture as well.

    They are of mode 1, L, P or RGB, and may be reduced to an eighth of the picture's height and
    width. `decode` decodes what could keep its bytes.
    """
    if not data:
        raise PictureError("empty file")
    try:
        opened = Opened(data, max_pixels)
        if not (opened.alike and _is_canonical(opened)):
            return _encoded_anew(opened, settings)
        try:
            pixels = decode(opened)
        except Refused as refused:
            return _encoded_anew(Opened(data, max_pixels), settings, str(refused))
        width, height = opened.size
        channels = _CHANNELS[opened.image.mode]
        return Picture(opened.data, _FORMATS[opened.format], height, width, channels), pixels
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureError("too many pixels", str(error)) from error
    except Exception as error:  # Pillow's decoders raise whatever damaged bytes lead them to
        raise PictureError("truncated or damaged", str(error) or type(error).__name__) from error


def values(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[int, int] | None:
    """Returns the lowest and the highest value of a picture of 16 bit; None for others.

    Raises:
        PictureError: as `canonical`.
    """
    if data.startswith(_WITHOUT_16_BIT) or (data.startswith(b"\x89PNG") and data[24:25] != b"\x10"):
        return None
    return canonical(data, max_pixels=max_pixels).values


def _is_canonical(opened: Opened) -> bool:
    """Checks whether a decoder alone, blind to metadata, decodes what a viewer would show."""
    return (
        opened.image.mode in _CHANNELS
        and not opened.image.has_transparency_data
        and not opened.is_turned
        and not has_foreign_colours(opened.image)
    )


def _encoded_anew(
    opened: Opened, settings: PictureSettings, *reasons: str
) -> tuple[Picture, Image.Image]:
    divisor = picture_encoding.divisor(opened, settings.least_side)
    photograph = picture_encoding.options(opened, divisor)
    sound = opened.load(divisor)
    found = convert(opened, settings)
    done = [*reasons, *([] if sound else [DAMAGED]), *found.done] or [RECODED]
    encoded, format = picture_encoding.encoded(found.image, photograph)
    width, height = found.image.size
    made = Picture(
        encoded,
        cast(Format, format),
        height,
        width,
        _CHANNELS[found.image.mode],
        tuple(dict.fromkeys(done)),
        found.values,
    )
    return made, found.image
