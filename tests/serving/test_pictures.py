from __future__ import annotations

import io
import subprocess
import sys
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from serving.pictures import PictureError, canonical, canonical_and_pixels
from tests.serving.samples import (
    HEIGHT,
    WIDTH,
    colours,
    encode,
    exif,
    half_transparent,
    jpeg,
    linear_grey_profile,
    png,
    sixteen_bit,
    swapped_profile,
)

Pixels = np.ndarray
LOSSLESS, JPEG = 0, 4  # largest difference per channel; JPEG decoders round differently


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def with_screen(gif: bytes, width: int, height: int) -> bytes:
    """The same GIF on a larger canvas, which its only frame does not cover."""
    return gif[:6] + width.to_bytes(2, "little") + height.to_bytes(2, "little") + gif[10:]


KEPT: dict[str, tuple[bytes, str, int]] = {
    "jpeg": (jpeg(), "jpeg", 3),
    "jpeg progressive": (encode(colours(), "JPEG", progressive=True), "jpeg", 3),
    "jpeg grey": (jpeg(colours().convert("L")), "jpeg", 1),
    "jpeg upright by exif": (encode(colours(), "JPEG", exif=exif(1)), "jpeg", 3),
    "jpeg with impossible orientation": (encode(colours(), "JPEG", exif=exif(99)), "jpeg", 3),
    "jpeg with an unreadable profile": (encode(colours(), "JPEG", icc_profile=b"x"), "jpeg", 3),
    "jpeg with a second picture": (
        encode(colours(), "MPO", save_all=True, append_images=[colours()]),
        "jpeg",
        3,
    ),
    "png": (png(), "png", 3),
    "png grey": (png(colours().convert("L")), "png", 1),
    "png black and white": (png(colours().convert("1")), "png", 1),
    "png palette": (png(colours().quantize(200)), "png", 3),
    "png palette of 4 bit": (png(colours().quantize(9)), "png", 3),
    "gif": (encode(colours().quantize(200), "GIF"), "gif", 3),
    "gif interlaced": (encode(colours().quantize(99), "GIF", interlace=True), "gif", 3),
    "bmp": (encode(colours(), "BMP"), "bmp", 3),
}

REENCODED: dict[str, bytes] = {
    "png 16 bit": png(sixteen_bit()),
    "png alpha": png(half_transparent()),
    "png grey alpha": png(half_transparent().convert("LA")),
    "png palette with a transparent colour": encode(colours().quantize(9), "PNG", transparency=3),
    "png rgb with a transparent colour": encode(colours(), "PNG", transparency=(0, 0, 255)),
    "gif with a transparent colour": encode(colours().quantize(9), "GIF", transparency=3),
    "gif animated": encode(
        colours().quantize(99), "GIF", save_all=True, append_images=[colours().rotate(180)]
    ),
    "gif smaller than its canvas": with_screen(
        encode(colours().quantize(99), "GIF"), WIDTH + 20, HEIGHT + 10
    ),
    "bmp grey": encode(colours().convert("L"), "BMP"),
    "bmp palette": encode(colours().quantize(9), "BMP"),
    "bmp black and white": encode(colours().convert("1"), "BMP"),
    "bmp 32 bit": encode(half_transparent(), "BMP"),
    "jpeg cmyk": encode(colours().convert("CMYK"), "JPEG"),
    "webp": encode(colours(), "WEBP", lossless=True),
    "webp lossy with alpha": encode(half_transparent(), "WEBP"),
    "tiff": encode(colours(), "TIFF"),
    "tiff 16 bit": encode(sixteen_bit(), "TIFF"),
    "tiff compressed cmyk": encode(colours().convert("CMYK"), "TIFF", compression="tiff_lzw"),
}


@pytest.fixture(scope="module")
def decoded() -> Callable[[bytes], Pixels]:
    """Returns the pixels that the served graph decodes: `[height, width, 3]` uint8."""
    tf = pytest.importorskip("tensorflow")

    def decode(data: bytes) -> Pixels:
        return tf.io.decode_image(data, channels=3, expand_animations=False).numpy()

    return decode


def as_seen(data: bytes) -> Pixels:
    """Returns the pixels that a viewer shows, by Pillow alone: `[height, width, 3]` uint8."""
    image = ImageOps.exif_transpose(opened(data))
    if image.mode.startswith("I;16"):
        return np.stack([np.asarray(image) // 256] * 3, -1).astype(np.uint8)
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(white, image.convert("RGBA")).convert("RGB"))


def difference(one: Pixels, other: Pixels) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize("name", KEPT)
def test_canonical_pictures_keep_their_bytes(name: str, decoded: Callable[[bytes], Pixels]) -> None:
    data, format, channels = KEPT[name]
    picture = canonical(data)
    assert picture.encoded is data
    assert (picture.format, picture.channels) == (format, channels)
    assert (picture.height, picture.width) == (HEIGHT, WIDTH)
    assert difference(decoded(data), as_seen(data)) <= (JPEG if format == "jpeg" else LOSSLESS)


@pytest.mark.parametrize("name", REENCODED)
def test_the_graph_sees_what_a_viewer_shows(name: str, decoded: Callable[[bytes], Pixels]) -> None:
    data = REENCODED[name]
    picture = canonical(data)
    seen = decoded(picture.encoded)
    assert picture.format == "png"
    assert seen.shape == (picture.height, picture.width, 3)
    assert difference(seen, as_seen(data)) <= 1  # laying over white rounds
    assert canonical(picture.encoded).encoded == picture.encoded


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(2, 9))
def test_pictures_are_turned_upright_by_exif(
    format: str, orientation: int, decoded: Callable[[bytes], Pixels]
) -> None:
    data = encode(colours(), format, exif=exif(orientation))
    picture = canonical(data)
    upright = (WIDTH, HEIGHT) if orientation >= 5 else (HEIGHT, WIDTH)
    assert (picture.height, picture.width) == upright
    assert difference(decoded(picture.encoded), as_seen(data)) <= LOSSLESS
    assert opened(picture.encoded).getexif().get(0x0112) is None


@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_an_embedded_profile_is_converted_to_srgb(
    format: str, decoded: Callable[[bytes], Pixels]
) -> None:
    red = Image.new("RGB", (8, 8), (230, 100, 100))
    picture = canonical(encode(red, format, icc_profile=swapped_profile()))
    assert difference(decoded(picture.encoded), np.full((8, 8, 3), (100, 100, 230))) <= 6
    assert "icc_profile" not in opened(picture.encoded).info


def test_a_grey_profile_is_converted_to_srgb(decoded: Callable[[bytes], Pixels]) -> None:
    linear = encode(Image.new("L", (8, 8), 55), "PNG", icc_profile=linear_grey_profile())
    # 55 / 255 of the light is 0.5 in sRGB (IEC 61966-2-1).
    assert difference(decoded(canonical(linear).encoded), np.full((8, 8, 3), 128)) <= 2


def test_an_srgb_profile_costs_no_new_encoding() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encode(colours(), "JPEG", icc_profile=profile)
    assert canonical(data).encoded is data


def test_what_is_encoded_anew_carries_no_metadata() -> None:
    data = encode(half_transparent(), "PNG", exif=exif(1), dpi=(72, 72))
    assert opened(canonical(data).encoded).info == {}


TINY = colours().crop((0, 0, 12, 9))
TINY_FILES = {
    "jpeg": jpeg(TINY),
    "jpeg progressive": encode(TINY, "JPEG", progressive=True),
    "png": png(TINY),
    "png palette": png(TINY.quantize(9)),
    "gif": encode(TINY.quantize(9), "GIF"),
    "bmp": encode(TINY, "BMP"),
    "webp": encode(TINY, "WEBP", lossless=True),
    "tiff": encode(TINY, "TIFF"),
}


@pytest.mark.filterwarnings("ignore")  # Pillow's own, about damaged metadata
@pytest.mark.parametrize("name", TINY_FILES)
def test_a_file_cut_anywhere_is_refused_or_still_whole(
    name: str, decoded: Callable[[bytes], Pixels]
) -> None:
    data = TINY_FILES[name]
    whole = as_seen(data)
    refused = 0
    for length in range(len(data)):
        try:
            picture = canonical(data[:length])
        except PictureError:
            refused += 1
        else:
            assert difference(decoded(picture.encoded), whole) <= JPEG, length
    assert refused > len(data) / 2


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", TINY_FILES)
def test_damage_never_leads_to_bytes_that_cannot_be_decoded(
    name: str, decoded: Callable[[bytes], Pixels]
) -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        data = bytearray(TINY_FILES[name])
        for at in random.integers(0, len(data), 3):
            data[at] = random.integers(256)
        try:
            picture = canonical(bytes(data), max_pixels=1_000_000)
        except PictureError:
            continue
        assert decoded(picture.encoded).shape == (picture.height, picture.width, 3)


def test_a_segment_in_a_scan_that_leads_past_the_end_is_not_left_to_the_graph(
    decoded: Callable[[bytes], Pixels],
) -> None:
    data = jpeg()
    middle = (data.index(b"\xff\xda") + len(data)) // 2
    picture = canonical(data[:middle] + b"\xff\xe5\xff\xf0" + data[middle:])
    assert picture.format == "png"
    assert decoded(picture.encoded).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("size", [(1, 1), (7, 20), (800, 601)])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpegs_size_is_its_own_however_it_is_checked(
    size: tuple[int, int], progressive: bool
) -> None:
    data = encode(colours().resize(size), "JPEG", progressive=progressive)
    picture, pixels = canonical_and_pixels(data)
    assert (picture.width, picture.height, picture.encoded) == (*size, data)
    assert pixels.width <= picture.width and pixels.mode == "RGB"


def reason(data: bytes, **options: int) -> str:
    with pytest.raises(PictureError) as refused:
        canonical(data, **options)
    assert str(refused.value).startswith(refused.value.reason)
    return refused.value.reason


def test_what_is_no_picture_is_refused_in_words() -> None:
    assert reason(b"") == "empty file"
    assert reason(b"%!PS-Adobe-3.0 EPSF-3.0\nshowpage") == "not a picture"
    assert reason(b"solar cells" * 100) == "not a picture"
    assert reason(jpeg()[:-300]) == "truncated or damaged"
    assert reason(encode(Image.new("F", (9, 9)), "TIFF")) == "unsupported pixels"


def test_the_limit_on_pixels_is_inclusive() -> None:
    assert canonical(png(), max_pixels=HEIGHT * WIDTH)
    assert reason(png(), max_pixels=HEIGHT * WIDTH - 1) == "too many pixels"


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [10_000, 60_000])
def test_a_decompression_bomb_is_refused_from_its_header(side: int) -> None:
    header = png()[:16] + side.to_bytes(4, "big") * 2 + png()[24:29]
    bomb = header + zlib.crc32(header[12:]).to_bytes(4, "big") + png()[33:]
    assert reason(bomb) == "too many pixels"  # not "damaged", as its few pixels would say


@pytest.mark.parametrize("size", [(1, 10_000), (10_000, 1)])
def test_absurd_sides_are_refused(size: tuple[int, int]) -> None:
    assert reason(png(Image.new("L", size))) == "absurd side ratio"


def test_the_module_stays_light() -> None:
    script = "import sys, serving.pictures; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"tensorflow", "numpy", "google.protobuf"} & set(loaded)
