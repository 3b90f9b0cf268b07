from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.backbones import BACKBONES
from components.model.network import freeze, unfreeze
from components.model.twin import forward, twin
from components.pretrained.base import build_base
from tests.components.model.hub_like import SIDE, hub_like

RNG = np.random.default_rng(0)


def with_statistics(model: keras.Model) -> keras.Model:
    """Returns the model with BatchNormalization that changes something."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([RNG.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def small() -> keras.Model:
    """Returns all kinds of convolutions, with and without what keeps them from being folded."""
    layers = keras.layers
    inputs = keras.Input((12, 12, 3))
    outputs = layers.Conv2D(4, 3, strides=2, padding="same", name="folded")(inputs)
    outputs = layers.BatchNormalization(name="folded_away", scale=False)(outputs)
    outputs = layers.Activation("relu")(outputs)
    outputs = layers.DepthwiseConv2D(3, depth_multiplier=2, use_bias=False, name="depth")(outputs)
    outputs = layers.ReLU(6.0)(layers.BatchNormalization(name="depth_away")(outputs))
    outputs = layers.SeparableConv2D(6, 2, name="separable")(outputs)
    outputs = layers.BatchNormalization(name="separable_away", center=False)(outputs)
    active = layers.Conv2D(6, 1, activation="tanh", name="active")(outputs)
    active = layers.BatchNormalization(name="behind_active")(active)
    read_twice = layers.Conv2D(6, 1, name="read_twice")(outputs)
    outputs = layers.Add()([layers.BatchNormalization()(read_twice), read_twice, active])
    return with_statistics(keras.Model(inputs, outputs * 2.0 + 1.0))


def inception_v3() -> keras.Model:
    return keras.applications.InceptionV3(include_top=False, weights=None, input_shape=(75, 75, 3))


def mobilenet() -> keras.Model:
    return keras.applications.MobileNet(include_top=False, weights=None, input_shape=(32, 32, 3))


def resnet50() -> keras.Model:
    return keras.applications.ResNet50(include_top=False, weights=None, input_shape=(32, 32, 3))


def loss_and_gradients(
    model: keras.Model, inputs: tf.Tensor, variables: list[keras.Variable]
) -> tuple[np.ndarray, list[np.ndarray]]:
    @tf.function(autograph=False)
    def run() -> tuple[tf.Tensor, list[tf.Tensor]]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(inputs, training=True) ** 2)
        return loss, tape.gradient(loss, [variable.value for variable in variables])

    loss, gradients = run()
    return loss.numpy(), [gradient.numpy() for gradient in gradients]


MODELS = [
    small,
    pytest.param(mobilenet, marks=pytest.mark.slow),
    pytest.param(resnet50, marks=pytest.mark.slow),
    pytest.param(inception_v3, marks=pytest.mark.slow),
]


@pytest.mark.parametrize("make", MODELS)
def test_loss_and_gradients_are_those_of_the_unfolded_network(
    make: Callable[[], keras.Model],
) -> None:
    keras.utils.set_random_seed(1)
    model = make()
    unfreeze(model, 0)
    inputs = tf.constant(RNG.uniform(-1, 1, (2, *model.input_shape[1:])), tf.float32)
    copy = twin(model, "float32")
    assert {id(variable) for variable in copy.weights} == {id(each) for each in model.weights}
    trained = model.trainable_variables
    assert {id(each) for each in copy.trainable_variables} == {id(each) for each in trained}
    loss, gradients = loss_and_gradients(model, inputs, trained)
    found, found_gradients = loss_and_gradients(copy, inputs, trained)
    np.testing.assert_allclose(found, loss, rtol=1e-4)
    for expected, gradient in zip(gradients, found_gradients, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-2, atol=1e-3 * abs(expected).max())


def multiplied_maps(model: keras.Model) -> int:
    """Returns how many whole maps a model multiplies or adds to, per batch."""
    run = tf.function(lambda x: model(x, training=True), autograph=False)
    graph = run.get_concrete_function(tf.TensorSpec([5, *model.input_shape[1:]])).graph
    kinds = ("Mul", "AddV2", "Sub")
    operations = [each for each in graph.get_operations() if each.type in kinds]
    return sum(each.outputs[0].shape.rank == 4 and each.outputs[0].shape[0] == 5
               for each in operations)  # fmt: skip


def test_frozen_normalization_behind_a_convolution_touches_no_map_but_to_shift_it() -> None:
    model = small()
    unfreeze(model, 0)
    copy = twin(model, "float32")
    kinds = {layer.name: type(layer).__name__ for layer in copy.layers}
    assert [name for name, kind in kinds.items() if kind == "_Folded"] == [
        "folded",
        "depth",
        "separable",
    ]
    assert multiplied_maps(copy) < multiplied_maps(model)


def test_normalization_that_is_trained_stays() -> None:
    model = small()
    unfreeze(model, 0, normalization=True)
    copy = twin(model, "float32")
    assert not [layer for layer in copy.layers if type(layer).__name__ == "_Folded"]


def test_half_precision_is_close_and_leaves_variables_and_layers_as_they_were() -> None:
    model = small()
    unfreeze(model, 0)
    inputs = tf.constant(RNG.uniform(-1, 1, (4, 12, 12, 3)), tf.float32)
    expected = model(inputs).numpy()
    copy = twin(model, "bfloat16")
    outputs = copy(inputs, training=True)
    assert outputs.dtype == tf.bfloat16
    np.testing.assert_allclose(outputs.numpy().astype("float32"), expected, atol=0.1, rtol=0.05)
    assert {variable.dtype for variable in copy.weights} == {"float32"}
    assert {layer.dtype_policy.name for layer in model.layers} == {"float32"}
    np.testing.assert_array_equal(model(inputs), expected)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.1)])
def test_a_frozen_model_runs_as_a_function_of_constants(precision: str, tolerance: float) -> None:
    model = small()
    freeze(model)
    inputs = tf.constant(RNG.uniform(-1, 1, (4, 12, 12, 3)), tf.float32)
    run = forward(model, precision)
    expected = model(inputs, training=False).numpy()
    model.set_weights([0 * weight for weight in model.get_weights()])
    found = run(inputs)
    assert found.dtype == tf.float32
    np.testing.assert_allclose(found, expected, atol=tolerance, rtol=tolerance / 2)
    np.testing.assert_allclose(run(inputs[:1]), expected[:1], atol=tolerance, rtol=tolerance / 2)
    assert run.experimental_get_tracing_count() == 1


def test_a_model_of_several_outputs_keeps_their_structure() -> None:
    inputs = keras.Input((8, 8, 3))
    first = keras.layers.Conv2D(2, 3)(inputs)
    model = keras.Model(inputs, [first, keras.layers.BatchNormalization()(first)])
    freeze(model)
    found = forward(model, "float32")(tf.ones([1, 8, 8, 3]))
    assert [tuple(tensor.shape) for tensor in found] == [(1, 6, 6, 2)] * 2


@pytest.mark.parametrize(
    "backbone",
    [
        name if name == "mobilenet_v3_small" else pytest.param(name, marks=pytest.mark.slow)
        for name in BACKBONES
    ],
)
def test_every_backbone_has_a_twin_that_computes_the_same(backbone: str) -> None:
    side = BACKBONES[backbone].minimum_size
    base = build_base(backbone, [side, side], None)
    freeze(base)
    pixels = np.random.default_rng(0).normal(size=(2, side, side, 3)).astype(np.float32)
    expected = np.asarray(base(pixels, training=False))
    found = np.asarray(twin(base, "float32")(pixels, training=False))
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    keras.backend.clear_session()


class Block(keras.layers.Layer):
    """A residual block, as KerasHub's: the layer in it has a policy of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = keras.layers.Dense(4)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs + self.inner(inputs)


def test_a_layer_made_of_layers_computes_in_float32_in_a_twin_of_half_precision() -> None:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Block()(keras.layers.Dense(4)(inputs)))
    values = RNG.normal(size=(2, 4)).astype(np.float32)
    np.testing.assert_allclose(twin(model, "bfloat16")(values), model(values), atol=0.05)


@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-6), ("bfloat16", 0.05)])
def test_a_layer_that_takes_tensors_and_numbers_by_name_has_a_twin(
    precision: str, tolerance: float
) -> None:
    model = hub_like()
    values = RNG.normal(size=(2, SIDE, SIDE, 3)).astype(np.float32)
    found = twin(model, precision)(values, training=False)
    np.testing.assert_allclose(found, model(values, training=False), atol=tolerance)
