from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.artifacts import features
from components.artifacts.examples import PICTURE, parse
from components.artifacts.tfrecords import read_records
from components.model.transform_graph import Pixels, first_pictures
from components.transform.preprocessing import preprocessing_fn


def test_the_graph_gives_what_the_function_gives(pixels: Pixels, split: str) -> None:
    encoded = tf.constant(first_pictures(split, 5))
    config = {"backbone": "mobilenet", "size": [32, 32], "fit": "stretch"}
    expected = preprocessing_fn({features.ENCODED: encoded}, config)[features.PIXELS]
    np.testing.assert_allclose(pixels(encoded), expected, atol=1e-5)


def test_a_picture_alone_has_the_pixels_that_it_has_in_a_batch(pixels: Pixels, split: str) -> None:
    encoded = tf.constant(first_pictures(split, 3))
    singly = [pixels(encoded[number : number + 1])[0] for number in range(3)]
    np.testing.assert_array_equal(tf.stack(singly), pixels(encoded))


def test_it_knows_its_size(pixels: Pixels) -> None:
    assert pixels.size == [32, 32]
    assert pixels(tf.constant([], tf.string)).shape == (0, 32, 32, 3)


def test_what_cannot_be_decoded_is_an_error_and_not_a_black_picture(pixels: Pixels) -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        pixels(tf.constant([b"nothing"]))


def test_records_come_in_the_order_written_with_the_ingests_features(split: str) -> None:
    parsed = [
        tf.train.Example.FromString(record).features.feature
        for record in read_records(split).as_numpy_iterator()
    ]
    assert len(parsed) == 24
    contract = {
        *("image/encoded", "image/format", "image/height", "image/width", "image/channels"),
        *("image/filename", "image/sha256", "image/label"),
    }
    assert contract <= set(parsed[0])
    first = [feature[features.ENCODED].bytes_list.value[0] for feature in parsed[:3]]
    assert first_pictures(split, 3) == first
    assert len(first_pictures(split, 99)) == 24


def test_the_classes_are_mixed(split: str) -> None:
    labels = [parse(record, *PICTURE)[features.LABEL].numpy() for record in read_records(split)]
    assert len(set(labels[:8])) == 3
