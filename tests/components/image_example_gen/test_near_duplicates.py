from __future__ import annotations

import io
import itertools
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from components.image_example_gen import near_duplicates
from components.image_example_gen.difference_hash import difference_hash
from components.image_example_gen.near_duplicates import (
    MOST_BITS,
    MOST_FINE_BITS,
    across_splits,
    clusters,
    similar_pairs,
)
from components.image_example_gen.verdicts import Row


def photo(seed: int) -> Image.Image:
    """Smooth shapes with some noise, as a camera gives."""
    random = np.random.default_rng(seed)
    shapes = Image.fromarray(random.integers(0, 256, (6, 8, 3), np.uint8))
    pixels = np.asarray(shapes.resize((640, 480), Image.Resampling.BICUBIC)).astype(float)
    return Image.fromarray(np.clip(pixels + random.normal(0, 6, pixels.shape), 0, 255).astype("u1"))


def distances(one: Image.Image, other: Image.Image) -> tuple[int, int]:
    """Returns how many of the coarse and of the fine bits differ."""
    differing = int(difference_hash(one), 16) ^ int(difference_hash(other), 16)
    return (differing >> 256).bit_count(), (differing & (2**256 - 1)).bit_count()


def saved(picture: Image.Image, **options: object) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, **options)
    return Image.open(file)


@pytest.mark.parametrize("seed", range(5))
def test_what_scaling_and_encoding_leave_of_a_picture_is_near(seed: int) -> None:
    picture = photo(seed)
    again = [
        saved(picture, format="JPEG", quality=60),
        picture.resize((320, 240)),
        picture.resize((1000, 750)),
        ImageEnhance.Brightness(picture).enhance(0.9),
    ]
    found = [distances(picture, other) for other in again]
    assert all(coarse <= MOST_BITS and fine <= MOST_FINE_BITS for coarse, fine in found), found


def test_other_pictures_are_far() -> None:
    pictures = [photo(seed) for seed in range(8)]
    pairs = [distances(one, other) for one, other in itertools.combinations(pictures, 2)]
    assert all(coarse > 10 and fine > 60 for coarse, fine in pairs)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
@pytest.mark.parametrize("size", [(1, 1), (9, 8), (3, 200), (700, 20)])
def test_every_canonical_mode_and_size_has_a_hash(mode: str, size: tuple[int, int]) -> None:
    assert len(difference_hash(Image.new(mode, size))) == 80


def rows(hashes: dict[str, int], split: str, label: str = "cats") -> list[Row]:
    return [
        {
            **{"file": file, "label": label, "split": split},
            "difference_hash": f"{value:016x}{value:064x}",
        }
        for file, value in hashes.items()
    ]


def test_a_held_out_picture_like_a_training_one_is_counted_and_listed_with_the_nearest() -> None:
    accepted = [
        *rows({"a": 0b111, "b": 0b1, "far": 2**63 - 1}, "train"),
        *rows({"c": 0b11}, "eval", "dogs"),
        *rows({"d": 0b11, "e": 2**40 - 1}, "test"),
    ]
    found = across_splits(accepted, 10)
    assert (found["count"], found["in_test"]) == (2, 1)
    one, other = found["listed"]
    assert (one["file"], one["split"], one["label"], one["bits"]) == ("c", "eval", "dogs", 1)
    assert (one["like"] in "ab", one["like_split"], one["like_label"]) == (True, "train", "cats")
    assert (other["file"], other["like"], other["like_split"], other["bits"]) == (
        "d",
        "c",
        "eval",
        0,
    )


def test_pictures_that_only_share_their_outlines_are_not_alike() -> None:
    one, other = rows({"a": 0}, "train") + rows({"b": 0}, "test")
    other["difference_hash"] = f"{0:016x}{2 ** (MOST_FINE_BITS + 1) - 1:064x}"
    assert across_splits([one, other], 10)["count"] == 0
    other["difference_hash"] = f"{0:016x}{2**MOST_FINE_BITS - 1:064x}"
    assert across_splits([one, other], 10)["count"] == 1


def test_near_duplicates_within_a_split_are_none_of_its_business() -> None:
    assert across_splits(rows({"a": 0, "b": 0, "c": 1}, "test"), 10)["count"] == 0
    assert across_splits([], 10) == {"count": 0, "in_test": 0, "listed": []}


def test_only_the_first_are_listed_but_all_counted() -> None:
    accepted = rows({"a": 0}, "train") + rows({f"b{n:03}": 0 for n in range(50)}, "test")
    found = across_splits(accepted, 7)
    assert found["count"] == 50
    assert [row["file"] for row in found["listed"]] == [f"b{n:03}" for n in range(7)]


@given(
    st.lists(
        st.one_of(
            st.integers(0, 2**64 - 1),
            st.sets(st.integers(0, 63), max_size=4).map(lambda bits: sum(1 << b for b in bits)),
        ),
        unique=True,
        max_size=40,
    )
)
def test_the_tables_find_exactly_the_pairs_that_comparing_all_with_all_finds(
    values: list[int],
) -> None:
    words = np.zeros((len(values), 5), np.uint64)
    words[:, 0] = words[:, 4] = np.array(values, np.uint64)
    found = {
        (frozenset((int(one), int(other))), int(bits))
        for ones, others, apart in similar_pairs(words)
        for one, other, bits in zip(ones, others, apart, strict=True)
    }
    expected = {
        (frozenset((i, j)), (values[i] ^ values[j]).bit_count())
        for i, j in itertools.combinations(range(len(values)), 2)
        if (values[i] ^ values[j]).bit_count() <= MOST_BITS
    }
    assert found == expected


@pytest.mark.parametrize("make", ["random", "alike"])
def test_many_pictures_take_no_quadratic_time(make: str) -> None:
    random = np.random.default_rng(0)
    values = random.integers(0, 2**64, 40_000, np.uint64)
    if make == "alike":  # all share three quarters of their bits
        values &= np.uint64(0xFFFF)
    accepted = rows({str(n): int(value) for n, value in enumerate(values)}, "train")
    for row in accepted[::10]:
        row["split"] = "test"
    began = time.process_time()
    across_splits(accepted, 10)
    assert time.process_time() - began < 20  # all with all: 800 million pairs, minutes


def hashed(pictures: dict[str, Image.Image], label: str, split: str = "train") -> list[Row]:
    return [
        {
            **{"file": file, "label": label, "split": split, "sha256": file},
            "difference_hash": difference_hash(picture),
        }
        for file, picture in pictures.items()
    ]


def digit(label: int, seed: int) -> Image.Image:
    """A simple picture of 8 x 8 pixels: a few strokes of its class in different grey levels."""
    random, strokes = np.random.default_rng(seed), np.random.default_rng(label)
    pixels = np.zeros((8, 8), np.uint8)
    for row, column in strokes.integers(1, 6, (4, 2)):
        across = bool(strokes.integers(2))
        at = (row, slice(column, 8)) if across else (slice(row, 8), column)
        pixels[at] = random.integers(120, 255)
    return Image.fromarray(pixels)


def test_of_simple_pictures_that_are_all_alike_few_are_taken_for_near_duplicates() -> None:
    accepted = [
        row
        for seed in range(400)
        for row in hashed(
            {f"{seed}": digit(seed % 8, seed)}, f"c{seed % 8}", "test" if seed % 5 == 0 else "train"
        )
    ]
    words, value_of = near_duplicates._values(accepted)
    labels = [row["label"] for row in accepted]
    assert near_duplicates.most_bits(words, value_of, labels) <= 3


def test_photographs_keep_the_widest_limit_even_if_half_of_them_are_bursts() -> None:
    accepted = []
    for label in ("cats", "dogs"):
        for scene in range(12):
            picture = photo(scene + 50 * (label == "dogs"))
            shots = {
                f"{label}{scene}-{shot}": ImageEnhance.Brightness(picture).enhance(1 - shot / 50)
                for shot in range(3)
            }
            accepted += hashed(shots, label)
    words, value_of = near_duplicates._values(accepted)
    labels = [row["label"] for row in accepted]
    assert near_duplicates.most_bits(words, value_of, labels) == MOST_FINE_BITS


def test_a_class_of_one_picture_among_very_many_leaves_a_limit() -> None:
    random, many = np.random.default_rng(0), 100_000
    words = random.integers(0, 2**63, (many, 5)).astype(np.uint64)
    labels = np.zeros(many, np.int64)
    labels[0] = 1  # by chance none of the pairs that are drawn first has it
    value_of = np.arange(many)
    assert near_duplicates.most_bits(words, value_of, labels) == MOST_FINE_BITS
    simple = words & np.uint64(1)  # pictures that are nearly alike
    assert near_duplicates.most_bits(simple, value_of, labels) < MOST_FINE_BITS


def test_pairs_of_two_classes_are_of_two_however_few_pictures_one_has() -> None:
    of_class = np.array([1] * 3 + [2] * 5_000 + [0] + [3] * 2)
    one, other = near_duplicates._of_two_classes(of_class)
    assert (of_class[one] != of_class[other]).all()
    rare = set(np.flatnonzero(of_class != 2).tolist())
    assert rare <= set(one.tolist()) and rare <= set(other.tolist())


def test_a_burst_is_one_cluster_and_other_scenes_are_others() -> None:
    accepted = []
    for scene in range(6):
        picture = photo(scene)
        turned = {
            f"{scene}-{frame}": picture.rotate(frame * 0.3, resample=Image.Resampling.BICUBIC).crop(
                (10, 10, 630, 470)
            )
            for frame in range(6)
        }
        accepted += hashed(turned, "cats" if scene % 2 else "dogs")
    found = clusters(accepted)
    of_scene = [{found[f"{scene}-{frame}"] for frame in range(6)} for scene in range(6)]
    assert all(len(keys) == 1 for keys in of_scene)
    assert len(set.union(*of_scene)) == 6


def test_pictures_of_one_group_are_in_one_cluster_with_what_looks_like_any_of_them() -> None:
    accepted = hashed({"a": photo(1), "b": photo(2), "like b": photo(2), "c": photo(3)}, "cats")
    for row in accepted[:2]:
        row["group"] = "patient 1"
    found = clusters(accepted)
    assert found["a"] == found["b"] == found["like b"] != found["c"]
