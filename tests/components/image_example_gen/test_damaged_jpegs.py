"""A JPEG that keeps its bytes is the same picture to every decoder, whatever became of it."""

from __future__ import annotations

import random

import numpy as np
import pytest
import tensorflow as tf

from components.image_example_gen import graph_trial
from components.picture_ops import decode
from serving.picture_conversion import DAMAGED
from serving.pictures import PictureError, canonical_and_pixels
from tests.serving.photographs import opened, photograph
from tests.serving.samples import encode

pytestmark = pytest.mark.filterwarnings("ignore")  # Pillow's own, about damaged metadata

KINDS: dict[str, dict[str, object]] = {
    "4:4:4": {"subsampling": "4:4:4"},
    "4:2:0": {"subsampling": "4:2:0"},
    "own tables": {"optimize": True},
    "restart markers": {"restart_marker_blocks": 5},
    "progressive": {"progressive": True},
}
DAMAGED_FILES = 120  # of each kind


def whole(options: dict[str, object]) -> list[bytes]:
    """Photographs of two qualities, in colour and grey."""
    return [
        encode(photograph(160, 120, grey=grey), "JPEG", quality=quality, **options)
        for quality in (60, 90)
        for grey in (False, True)
    ]


def damaged(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Returns the file with a fault in its scan: wrong, lost, further, empty or foreign bytes."""
    scan, end = data.index(b"\xff\xda") + 14, len(data) - 2
    at = rng.randrange(scan, end)
    length = rng.choice([1, 2, 16, 100])
    match rng.randrange(6):
        case 0:
            return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        case 1:
            wrong = bytearray(data)
            for _ in range(rng.choice([1, 2, 8, 16])):
                wrong[rng.randrange(scan, end)] = rng.randrange(256)
            return bytes(wrong)
        case 2:
            return data[:at] + data[min(end, at + length) :]
        case 3:
            return data[:at] + rng.randbytes(length) + data[at:]
        case 4:
            length = min(length, end - at)
            return data[:at] + bytes(length) + data[at + length :]
        case _:
            return data[:at] + other[at * len(other) // len(data) :]


def by_the_graph(data: bytes) -> np.ndarray:
    return decode(tf.constant(data)).numpy()


def by_pillow(data: bytes) -> np.ndarray:
    return np.asarray(opened(data).convert("RGB"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_or_encoded_anew_is_decoded_alike_to_the_last_bit(kind: str) -> None:
    pictures, rng = whole(KINDS[kind]), random.Random(0)
    kept = anew = 0
    for number in range(DAMAGED_FILES):
        data, other = pictures[number % 4], pictures[(number + 2) % 4]
        faulty = damaged(data, other, rng)
        try:
            picture, _ = canonical_and_pixels(faulty, decode=graph_trial.decode)
        except PictureError:
            continue
        kept += picture.encoded == faulty != data
        anew += DAMAGED in picture.done
        assert np.array_equal(by_the_graph(picture.encoded), by_pillow(picture.encoded)), number
    assert kept and anew  # both happen


@pytest.mark.parametrize("kind", KINDS)
def test_whole_ones_are_kept_and_decoded_alike(kind: str) -> None:
    for data in whole(KINDS[kind]):
        picture, _ = canonical_and_pixels(data, decode=graph_trial.decode)
        assert picture.encoded is data
        assert np.array_equal(by_the_graph(data), by_pillow(data))
