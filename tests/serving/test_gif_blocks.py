from __future__ import annotations

import random

import pytest

from serving.gif_blocks import is_sound
from serving.pictures import PictureError, canonical
from tests.serving.photographs import photograph
from tests.serving.samples import colours, encode

WHOLE = encode(photograph(120, 100, grey=True), "GIF", comment=b"cat" * 200)


def test_whole_ones_are_sound() -> None:
    for interlace in (0, 1):
        for image in (colours().quantize(9), colours().quantize(200), photograph(grey=True)):
            data = encode(image, "GIF", interlace=interlace)
            assert is_sound(data)
            assert canonical(data).encoded is data


@pytest.mark.parametrize(
    "data",
    [
        WHOLE[:-1] + b"\0" + WHOLE[-1:],
        WHOLE[:-1],
        WHOLE + b"\0",
        WHOLE[: 13 + 768] + b"\x99" + WHOLE[13 + 768 :],
        WHOLE[: 13 + 768 + 20],
    ],
)
def test_bytes_that_begin_no_block_are_not_left_to_the_graph(data: bytes) -> None:
    assert not is_sound(data)
    try:
        picture = canonical(data)
    except PictureError:
        return
    assert picture.format == "png" and picture.done


def test_whatever_keeps_its_bytes_is_decoded_by_tensorflow() -> None:
    tf = pytest.importorskip("tensorflow")
    rng, kept = random.Random(0), 0
    for number in range(300):
        data = bytearray(WHOLE)
        for _ in range(1 + number % 3):
            data[rng.randrange(len(data) if number % 2 else 1500)] = rng.randrange(256)
        try:
            picture = canonical(bytes(data), max_pixels=1_000_000)
        except PictureError:
            continue
        kept += not picture.done
        pixels = tf.io.decode_image(picture.encoded, channels=3, expand_animations=False)
        assert pixels.shape == (picture.height, picture.width, 3)
    assert kept > 30
