"""Pictures and colour profiles made on the spot."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

HEIGHT, WIDTH = 37, 53


def colours() -> Image.Image:
    """An RGB gradient, `[37, 53, 3]`, different in every corner and in every channel."""
    row, column = np.mgrid[:HEIGHT, :WIDTH]
    return Image.fromarray(np.stack([row * 6, column * 4, 255 - row * 3], -1).astype(np.uint8))


def sixteen_bit() -> Image.Image:
    """A grey gradient over the whole range of 16 bit."""
    values = np.linspace(0, 65535, HEIGHT * WIDTH).astype(np.uint16)
    return Image.fromarray(values.reshape(HEIGHT, WIDTH))


def half_transparent() -> Image.Image:
    """The RGB gradient, transparent at the top and opaque at the bottom."""
    image = colours().convert("RGBA")
    image.putalpha(colours().getchannel("R"))
    return image


def encode(image: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def jpeg(image: Image.Image | None = None) -> bytes:
    return encode(image or colours(), "JPEG", quality=90)


def png(image: Image.Image | None = None) -> bytes:
    return encode(image or colours(), "PNG")


def exif(orientation: int) -> bytes:
    """An EXIF block that says nothing but the orientation."""
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def swapped_profile() -> bytes:
    """An ICC profile whose red is sRGB's blue and the reverse, with sRGB's white and gamma 2.2."""
    red, green, blue = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(2.2 * 256)) + bytes(2)
    tags = {b"rXYZ": _xyz(*blue), b"gXYZ": _xyz(*green), b"bXYZ": _xyz(*red)}
    return _profile(b"RGB ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def linear_grey_profile() -> bytes:
    """An ICC profile for grey values that are proportional to light (gamma 1.0)."""
    return _profile(b"GRAY", {b"kTRC": b"curv" + bytes(4) + struct.pack(">I", 0)})


def _xyz(*values: float) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC 2.1 display profile (ICC.1:2001-04, clauses 6.1 and 6.2)."""
    tags = {b"wtpt": _xyz(0.9642, 1.0, 0.8249), **tags}
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += struct.pack(">4sII", name, start + len(body), len(data))
        body += data
    rest = struct.pack(">I", len(tags)) + table + body
    header = struct.pack(
        ">I4sI4s4s4s", 128 + len(rest), bytes(4), 0x02100000, b"mntr", space, b"XYZ "
    )
    header += bytes(12) + b"acsp" + bytes(28) + _xyz(0.9642, 1.0, 0.8249)[8:]
    return header.ljust(128, b"\0") + rest
