"""JPEGs that decoders show in part, in grey or as garbage, without a word."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from serving.picture_conversion import DAMAGED
from serving.pictures import PictureError, canonical
from tests.serving.photographs import opened, photograph
from tests.serving.samples import encode

END = b"\xff\xd9"
SAMPLINGS = [{"subsampling": "4:4:4"}, {"subsampling": "4:2:2"}, {"subsampling": "4:2:0"}]
KINDS = [*SAMPLINGS, {"restart_marker_blocks": 5}, {"optimize": True}, {"progressive": True}]


def is_rejected(data: bytes) -> bool:
    try:
        canonical(data)
    except PictureError as error:
        return error.reason == "truncated or damaged"
    return False


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("size", [(320, 240), (333, 251), (17, 300)])
def test_a_whole_one_keeps_its_bytes(
    options: dict[str, object], grey: bool, size: tuple[int, int]
) -> None:
    data = encode(photograph(*size, grey=grey), "JPEG", quality=85, **options)
    assert canonical(data).encoded is data


def test_one_without_much_in_it_keeps_its_bytes() -> None:
    """Flat blocks take two bits each: many of them fit into what a decoder reads ahead."""
    for width in range(8, 200, 8):
        data = encode(Image.new("L", (width, 8), 200), "JPEG")
        assert canonical(data).encoded is data


@pytest.mark.parametrize("options", KINDS[:-1])
@pytest.mark.parametrize("grey", [False, True])
def test_one_that_is_cut_and_has_an_end_marker_is_rejected(
    options: dict[str, object], grey: bool
) -> None:
    data = encode(photograph(grey=grey), "JPEG", quality=85, **options)
    scan = data.index(b"\xff\xda") + 20
    for cut in np.linspace(scan, 0.99 * len(data), 40).astype(int):
        assert is_rejected(data[:cut] + END), cut
        assert is_rejected(data[:cut] + END + data[cut:]), cut


def test_a_progressive_one_without_its_finer_scans_is_rejected() -> None:
    data = encode(photograph(), "JPEG", quality=85, progressive=True)
    last = data.rindex(b"\xff\xda")
    for cut in np.linspace(data.index(b"\xff\xda") + 14, last - 1, 30).astype(int):
        assert is_rejected(data[:cut] + END), cut


@pytest.mark.parametrize("padding", [bytes(60), b"\xff" * 60])
def test_padding_before_the_end_marker_is_no_damage(padding: bytes) -> None:
    data = encode(photograph(), "JPEG", quality=85)[:-2] + padding + END
    assert canonical(data).encoded is data


def test_data_that_no_pixel_is_made_of_are_noticed() -> None:
    data = encode(photograph(), "JPEG", quality=85)
    picture = canonical(data[:-2] + b"what may this be for?" + END)
    assert (picture.format, picture.done) == ("jpeg", (DAMAGED,))
    shown, was = np.asarray(opened(picture.encoded)), np.asarray(opened(data))
    assert np.abs(shown.astype(int) - was).mean() < 1


@pytest.mark.parametrize("options", SAMPLINGS)
def test_damage_is_rejected_or_encoded_anew_so_that_all_decoders_agree(
    options: dict[str, object],
) -> None:
    tf = pytest.importorskip("tensorflow")
    data = encode(photograph(), "JPEG", quality=85, **options)
    rng, scan, kept = random.Random(0), data.index(b"\xff\xda") + 14, 0
    for _ in range(40):
        damaged = bytearray(data)
        for _ in range(8):
            damaged[rng.randrange(scan, len(data) - 2)] = rng.randrange(255)
        try:
            picture = canonical(bytes(damaged))
        except PictureError:
            continue
        kept += not picture.done
        if picture.done:
            by_graph = tf.io.decode_image(picture.encoded, channels=3).numpy().astype(int)
            assert np.abs(by_graph - np.asarray(opened(picture.encoded))).max() <= 16
    assert kept <= 4  # by chance the data still ends with the picture


def test_a_marker_that_does_not_belong_into_a_scan_is_damage(
    decoded: Callable[[bytes], np.ndarray],
) -> None:
    data = encode(photograph(), "JPEG", quality=85)
    middle = (data.index(b"\xff\xda") + len(data)) // 2
    picture = canonical(data[:middle] + b"\xff\xe5\x00\x10" + data[middle:])
    assert picture.done == (DAMAGED,)
    assert decoded(picture.encoded).shape == (240, 320, 3)


@pytest.fixture(scope="module")
def decoded() -> Callable[[bytes], np.ndarray]:
    tf = pytest.importorskip("tensorflow")
    return lambda data: tf.io.decode_image(data, channels=3).numpy()
