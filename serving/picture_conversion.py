"""Does what a decoder in the graph leaves undone: orientation, profiles, transparency, 16 bit."""

from __future__ import annotations

import functools
import io
import itertools
from dataclasses import dataclass, field

from PIL import Image, ImageChops, ImageCms, ImageOps

from serving.opened_picture import Opened, PictureError
from serving.picture_settings import BYTE, PictureSettings

TURNED = "turned upright by EXIF"
TRANSPARENT = "transparency laid over image.background"
PROFILE = "colour profile applied"
SIXTEEN = "16 bit made 8"
DAMAGED = "damaged where decoders go on"

_SAME_COLOUR = 4  # of 255: the most by which two makes of sRGB profile differ; Display P3 is 20 off
_BITS_PER_SAMPLE = 258  # TIFF


@dataclass
class Converted:
    """A picture that a decoder alone shows as a viewer would."""

    image: Image.Image
    done: list[str] = field(default_factory=list)
    values: tuple[int, int] | None = None  # lowest and highest, of 16-bit pictures


def has_foreign_colours(image: Image.Image) -> bool:
    """Checks whether a profile says that the values are none of sRGB."""
    return _to_srgb(_colour_mode(image), image.info.get("icc_profile")) is not None


def convert(opened: Opened, settings: PictureSettings) -> Converted:
    """Returns a loaded picture upright, in 8 bit of sRGB or grey, and opaque."""
    source = opened.image
    found = Converted(source)
    profile = source.info.get("icc_profile")
    if opened.is_turned:
        found.done.append(TURNED)
        ImageOps.exif_transpose(source, in_place=True)
    found.values = _values(opened)
    if found.values:
        found.done.append(SIXTEEN)
    image = _eight_bit(source, found.values, settings.range)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema()[0] != BYTE:
            found.done.append(TRANSPARENT)
        image = _over_background(image, settings.background)
    transform = _to_srgb(_colour_mode(image), profile)
    if transform is not None:
        found.done.append(PROFILE)
        image = transform.apply(image.convert(_colour_mode(image)))
    elif image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    image.info.clear()  # what mattered in it is in the pixels now
    found.image = image
    return found


def _values(opened: Opened) -> tuple[int, int] | None:
    """Returns the lowest and the highest value of a 16-bit picture; None for others.

    Of colours Pillow keeps the upper byte alone: theirs are multiples of 257.
    """
    image = opened.image
    if image.mode.startswith("I;16"):
        low, high = (int(str(value)) for value in image.convert("I").getextrema())
        return low, high
    if opened.format == "PNG":
        deep = opened.data[24] == 16
    else:
        bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, ())
        deep = isinstance(bits, tuple) and bool(bits) and max(bits) == 16
    if not deep or image.mode not in ("L", "LA", "RGB", "RGBA"):
        return None
    bands = [band for band in image.getbands() if band != "A"]
    extrema = [image.getchannel(band).getextrema() for band in bands]
    lows, highs = zip(*extrema, strict=True)
    return 257 * int(min(lows)), 257 * int(max(highs))


def _eight_bit(
    image: Image.Image, values: tuple[int, int] | None, wanted: tuple[int, int] | None
) -> Image.Image:
    if image.mode in ("I", "F"):
        raise PictureError(
            "unsupported pixels", "32 bit per channel say not which value is white: save as 8 or 16"
        )
    if values is None or (wanted is None and not image.mode.startswith("I;16")):
        return image
    if wanted is None:  # the upper byte, as TensorFlow's own decoder does it
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    low, high = wanted
    scale = BYTE / (high - low)
    if image.mode.startswith("I;16"):
        wide = image.convert("I").point(lambda value: value * scale - low * scale)
        return wide.convert("L")  # cuts what is beyond
    table = [min(BYTE, max(0, round((257 * level - low) * scale))) for level in range(BYTE + 1)]
    bands = [
        channel if band == "A" else channel.point(table)
        for band, channel in zip(image.getbands(), image.split(), strict=True)
    ]
    return Image.merge(image.mode, bands)


def _over_background(picture: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    background = Image.new("RGB", picture.size, colour)
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
    levels = itertools.product(range(0, BYTE + 1, 51), repeat=3)
    probe = Image.frombytes("RGB", (216, 1), bytes(itertools.chain(*levels))).convert(mode)
    change = ImageChops.difference(transform.apply(probe), probe.convert("RGB"))
    return transform if max(change.tobytes()) > _SAME_COLOUR else None
