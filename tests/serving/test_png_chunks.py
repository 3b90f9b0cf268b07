from __future__ import annotations

import struct
import zlib

import pytest
from PIL.PngImagePlugin import PngInfo

from serving.pictures import PictureError, canonical
from serving.png_chunks import chunks, is_sound, without_much_text
from tests.serving.photographs import opened
from tests.serving.samples import colours, encode, png

PALETTE = png(colours().quantize(9))


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def parts(data: bytes) -> list[bytes]:
    return [data[:8], *(data[found.start : found.end] for found in chunks(data))]


def kinds(data: bytes) -> list[bytes]:
    return [found.kind for found in chunks(data)]


def test_whole_ones_are_sound() -> None:
    assert is_sound(png()) and is_sound(PALETTE)
    assert is_sound(encode(colours(), "PNG", dpi=(72, 72), exif=b"II*\0\x08\0\0\0\0\0\0\0\0\0"))


def odd() -> dict[str, bytes]:
    signature, header, palette, *pixels, end = parts(PALETTE)
    two = len(pixels[0]) // 2
    packed = pixels[0][8:-4]
    return {
        "two headers": signature + header + header + palette + b"".join(pixels) + end,
        "two palettes": signature + header + palette + palette + b"".join(pixels) + end,
        "a palette behind": signature + header + palette + b"".join(pixels) + palette + end,
        "no palette": signature + header + b"".join(pixels) + end,
        "palette of no triples": signature
        + header
        + chunk(b"PLTE", bytes(28))
        + b"".join(pixels)
        + end,
        "pixels in two rows": signature
        + header
        + palette
        + chunk(b"IDAT", packed[:two])
        + chunk(b"tIME", bytes(7))
        + chunk(b"IDAT", packed[two:])
        + end,
        "unknown and critical": signature + header + chunk(b"ABCD") + palette + pixels[0] + end,
    }


@pytest.mark.parametrize("name", odd())
def test_chunks_that_libpng_may_refuse_are_not_left_to_it(name: str) -> None:
    data = odd()[name]
    assert not is_sound(data)
    try:
        picture = canonical(data)
    except PictureError:
        return
    assert picture.done and is_sound(picture.encoded)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("times", [1, 30])
def test_long_texts_are_left_out_and_the_pixels_kept(packed: bool, times: int) -> None:
    info = PngInfo()
    for number in range(times):
        info.add_text(f"workflow{number}", "x" * (2_000_000 // times), zip=packed)
        info.add_itxt(f"more{number}", "y" * (2_000_000 // times), zip=packed)
    data = encode(colours(), "PNG", pnginfo=info)
    picture = canonical(data)
    assert (picture.encoded, picture.done) == (png(), ())


def test_a_text_behind_the_pixels_is_one_as_well() -> None:
    *before, end = parts(png())
    text = chunk(b"zTXt", b"workflow\0\0" + zlib.compress(bytes(3_000_000)))
    assert canonical(b"".join([*before, text, end])).encoded == png()


def test_short_texts_cost_nothing() -> None:
    info = PngInfo()
    info.add_text("title", "cat")
    data = encode(colours(), "PNG", pnginfo=info)
    assert without_much_text(data) is data
    assert canonical(data).encoded is data


def test_a_text_is_unpacked_to_the_limit_and_no_further() -> None:
    *before, end = parts(png())
    bomb = chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(300_000_000), 9))
    assert kinds(without_much_text(b"".join([*before, bomb, end]))) == kinds(png())


def test_turning_by_a_text_still_counts() -> None:
    """EXIF that older programs wrote as text."""
    data = encode(colours(), "PNG")
    assert opened(canonical(data).encoded).size == colours().size
