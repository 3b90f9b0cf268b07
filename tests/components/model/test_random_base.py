from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.model.network import build_extractor
from components.model.random_base import build_random_base
from components.model.transform_graph import Pixels, first_pictures
from components.pretrained.base import build_base
from components.settings.model import Head


@pytest.fixture(scope="module")
def base(pixels: Pixels, split: str) -> keras.Model:
    return build_random_base("mobilenet", pixels, split, seed=3)


def features(base: keras.Model, pixels: Pixels, split: str) -> np.ndarray:
    """[pictures, features] of the split, classes mixed."""
    extractor = build_extractor(base, Head())
    return extractor(pixels(tf.constant(first_pictures(split, 24))), training=False).numpy()


def test_features_have_a_scale_that_a_head_can_learn_from(
    base: keras.Model, pixels: Pixels, split: str
) -> None:
    found = features(base, pixels, split)
    assert 0.05 < np.sqrt(np.mean(found**2)) < 20
    assert np.mean(found.std(axis=0)) > 0.01  # pictures differ in them


def test_as_keras_makes_it_the_scale_is_useless(pixels: Pixels, split: str) -> None:
    plain = build_base("mobilenet", [32, 32], None)
    assert np.abs(features(plain, pixels, split)).max() < 1e-6


def test_the_seed_alone_decides_the_weights(base: keras.Model, pixels: Pixels, split: str) -> None:
    keras.utils.set_random_seed(99)  # what came before does not matter
    again = build_random_base("mobilenet", pixels, split, seed=3)
    for left, right in zip(base.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    other = build_random_base("mobilenet", pixels, split, seed=4)
    assert not np.array_equal(base.get_weights()[0], other.get_weights()[0])


def test_it_has_the_size_of_the_transform_graph(base: keras.Model) -> None:
    assert base.input_shape == (None, 32, 32, 3)
