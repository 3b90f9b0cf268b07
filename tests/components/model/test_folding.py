from __future__ import annotations

import keras
import numpy as np
import pytest

from components.model.folding import folded, inference_copy
from components.model.network import Network, build_network, freeze
from components.pretrained.base import build_base
from components.settings.model import Dense, Head
from tests.components.model.hub_like import SIDE, hub_like

layers = keras.layers


def lived_in(model: keras.Model) -> keras.Model:
    """Gives BatchNormalization statistics and scales as training leaves them."""
    random = np.random.default_rng(0)
    for weight in model.weights:
        if weight.path.endswith(("moving_mean", "beta", "bias")):
            weight.assign(random.normal(0, 0.1, weight.shape))
        if weight.path.endswith(("moving_variance", "gamma")):
            weight.assign(random.uniform(0.5, 2.0, weight.shape))
    return model


def pictures(side: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (4, side, side, 3)).astype(np.float32)


def normalizations(model: keras.Model) -> int:
    return sum(isinstance(each, layers.BatchNormalization) for each in model.layers)


def network(backbone: str = "mobilenet", side: int = 32) -> Network:
    base = lived_in(build_base(backbone, [side, side], None))
    return build_network(base, Head(dense=[Dense(units=16, dropout=0.5)]), 3)


@pytest.mark.parametrize(
    "convolution",
    [
        layers.Conv2D(5, 3, use_bias=False),
        layers.Conv2D(5, 3, strides=2, padding="same"),
        layers.Conv2D(6, 3, groups=3),
        layers.DepthwiseConv2D(3, depth_multiplier=2),
        layers.SeparableConv2D(5, 3, use_bias=False),
    ],
    ids=lambda layer: layer.name,
)
@pytest.mark.parametrize("parts", [{}, {"scale": False}, {"center": False}], ids=str)
def test_each_kind_of_convolution_computes_the_batch_normalization_after_it(
    convolution: keras.Layer, parts: dict[str, bool]
) -> None:
    inputs = keras.Input((8, 8, 3))
    convolution = type(convolution).from_config(convolution.get_config())
    after = layers.BatchNormalization(epsilon=0.01, **parts)
    model = lived_in(keras.Model(inputs, layers.ReLU()(after(convolution(inputs)))))
    copy = folded(model)
    assert normalizations(copy) == 0
    batch = pictures(8)
    np.testing.assert_allclose(copy(batch), model(batch, training=False), atol=2e-6)


def test_a_convolution_that_another_layer_reads_or_that_is_not_linear_is_left_alone() -> None:
    inputs = keras.Input((8, 8, 3))
    read_twice = layers.Conv2D(4, 1)(inputs)
    bent = layers.Conv2D(4, 1, activation="relu")(inputs)
    shared = layers.Conv2D(4, 1)
    outputs = [
        layers.BatchNormalization()(read_twice),
        read_twice,
        layers.BatchNormalization()(bent),
        layers.BatchNormalization()(shared(inputs)),
        shared(bent[..., :3]),
    ]
    model = lived_in(keras.Model(inputs, layers.Concatenate()(outputs)))
    copy = folded(model)
    assert normalizations(copy) == 3
    batch = pictures(8)
    np.testing.assert_allclose(copy(batch), model(batch, training=False), atol=2e-6)


@pytest.mark.parametrize("backbone", ["mobilenet", "mobilenet_v3_small"])
def test_the_copy_of_a_network_scores_as_the_network_which_stays_as_it_is(backbone: str) -> None:
    made = network(backbone)
    before = made.classifier.get_weights()
    copy = inference_copy(made)
    batch = pictures(32)
    np.testing.assert_allclose(copy(batch), made.classifier(batch, training=False), atol=1e-6)
    for weight, old in zip(made.classifier.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert made.classifier.trainable


def test_in_bfloat16_the_base_computes_in_it_and_the_head_does_not() -> None:
    made = network()
    copy = inference_copy(made, "bfloat16")
    base, head = (copy.get_layer(made.extractor.name).get_layer(made.base.name), copy.layers[-1])
    assert {weight.dtype for weight in base.weights} == {"bfloat16"}
    assert {weight.dtype for weight in head.weights} - {"uint32"} == {"float32"}
    batch = pictures(32)
    found, wanted = copy(batch), made.classifier(batch, training=False)
    assert keras.backend.standardize_dtype(found.dtype) == "float32"
    difference = float(np.abs(found - wanted).max())
    assert 0 < difference < 0.01


def test_half_precision_of_the_training_is_not_that_of_the_copy() -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        made = network()
    finally:
        keras.config.set_dtype_policy(before)
    copy = inference_copy(made)
    computes = {layer.compute_dtype for layer in copy.get_layer(made.extractor.name).layers}
    assert computes == {"float32"}


def test_a_layer_that_is_made_anew_by_another_name_keeps_its_weights() -> None:
    model = hub_like()
    for weight in model.weights:
        weight.assign(np.random.default_rng(1).uniform(0.5, 1.5, weight.shape))
    batch = pictures(SIDE)
    np.testing.assert_allclose(folded(model)(batch), model(batch, training=False), atol=1e-5)


def test_nothing_in_the_copy_of_a_frozen_base_is_trainable_be_it_within_a_layer() -> None:
    model = hub_like()
    freeze(model)
    copy = folded(model)
    assert keras.Model(copy.input, copy.output).trainable_variables == []
