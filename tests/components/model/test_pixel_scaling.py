from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.backbones import BACKBONES
from components.model.pixel_scaling import blue_first, to_picture


@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_way_back_gives_the_picture(backbone: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3)).astype(np.uint8)
    scaled = BACKBONES[backbone].scale(tf.constant(picture, tf.float32))
    np.testing.assert_array_equal(to_picture(scaled, backbone), picture)


def test_what_lies_between_is_rounded_and_what_lies_beyond_is_cut() -> None:
    scaled = BACKBONES["mobilenet"].scale(tf.constant([[-3.0, 99.6, 258.0]]))
    assert to_picture(scaled, "mobilenet").numpy().tolist() == [[0, 100, 255]]


def test_only_those_that_were_trained_so_have_blue_first() -> None:
    found = {name for name in BACKBONES if blue_first(name)}
    assert found == {"vgg16", "vgg19", "resnet50"}
