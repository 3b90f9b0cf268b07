from __future__ import annotations

import functools
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.model import kernel_gradient
from components.model.network import freeze, unfreeze
from components.model.twin import twin

RNG = np.random.default_rng(0)

Convolution = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def numbers(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.normal(size=shape), tf.float64)


def plain(padding: str) -> Convolution:
    """Returns TensorFlow's own."""
    return functools.partial(tf.nn.conv2d, strides=1, padding=padding.upper())


def gradients(
    convolve: Convolution, maps: tf.Tensor, kernel: tf.Tensor, above: tf.Tensor
) -> list[tf.Tensor]:
    """Returns the maps that come out, and the gradients of those that go in and of the kernel."""
    with tf.GradientTape() as tape:
        tape.watch([maps, kernel])
        found = convolve(maps, kernel)
    return [found, *tape.gradient(found, [maps, kernel], above)]


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("sides", [(1, 1), (3, 3), (1, 7), (7, 1), (2, 2), (4, 3)])
def test_maps_and_both_gradients_are_those_of_tensorflow(
    sides: tuple[int, int], padding: str
) -> None:
    maps, kernel = numbers(3, 9, 8, 4), numbers(*sides, 4, 5)
    above = numbers(*plain(padding)(maps, kernel).shape)
    found = gradients(kernel_gradient.convolution(padding), maps, kernel, above)
    for one, other in zip(found, gradients(plain(padding), maps, kernel, above), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)


def test_in_bfloat16_it_rounds_no_more_than_tensorflow_does() -> None:
    maps, kernel = numbers(8, 8, 8, 32), numbers(3, 3, 32, 16)
    above = numbers(8, 8, 8, 16)
    half = [tf.cast(each, tf.bfloat16) for each in (maps, kernel, above)]
    exact = gradients(plain("same"), *(tf.cast(each, tf.float64) for each in half))[2]
    faults = [
        float(tf.norm(tf.cast(gradients(convolve, *half)[2], tf.float64) - exact) / tf.norm(exact))
        for convolve in (kernel_gradient.convolution("same"), plain("same"))
    ]
    assert faults[0] < 0.004
    assert faults[0] <= 1.1 * faults[1]


def network(*convolutions: keras.layers.Layer, side: int = 12) -> keras.Model:
    inputs = outputs = keras.Input((side, side, 8))
    for each in convolutions:
        outputs = keras.layers.BatchNormalization()(each(outputs))
    return keras.Model(inputs, outputs)


def operations_of_a_step(model: keras.Model) -> list[str]:
    """Returns the kinds of operations of a step over the model's twin in bfloat16."""
    fast = twin(model, "bfloat16")

    @tf.function(autograph=False)
    def step(maps: tf.Tensor) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(fast(maps, training=True))
        return tape.gradient(loss, [each.value for each in model.trainable_variables])

    graph = step.get_concrete_function(tf.zeros([2, *model.input_shape[1:]])).graph
    return [operation.type for operation in graph.get_operations()]


def unfrozen(model: keras.Model) -> keras.Model:
    freeze(model)
    unfreeze(model, 0)
    return model


Conv2D = keras.layers.Conv2D


without_gpu = pytest.mark.skipif(
    bool(tf.config.list_physical_devices("GPU")), reason="its library knows it better"
)


@without_gpu
@pytest.mark.parametrize(
    ("convolution", "side", "faster"),
    [
        (Conv2D(4, 1), 12, True),
        (Conv2D(4, 3, padding="same"), 10, True),
        (Conv2D(4, 3, padding="same"), 11, False),  # its map is large
        (Conv2D(4, 1, strides=2), 8, False),
        (Conv2D(4, 3, dilation_rate=2), 8, False),
        (Conv2D(4, 1, groups=2), 8, False),
    ],
)
def test_kernels_of_one_place_and_those_on_small_maps_are_faster_so(
    with_flags: Callable[[str], None], convolution: keras.layers.Conv2D, side: int, faster: bool
) -> None:
    with_flags("avx512f amx_bf16")
    model = network(convolution, side=side)
    assert kernel_gradient.is_faster(convolution, "bfloat16") == faster
    assert not kernel_gradient.is_faster(convolution, "float32")
    freeze(model)
    assert not kernel_gradient.is_faster(convolution, "bfloat16")


def test_without_amx_none_is(with_flags: Callable[[str], None]) -> None:
    with_flags("avx512f avx512_bf16")
    convolution = Conv2D(4, 1)
    network(convolution, side=12)
    assert not kernel_gradient.is_faster(convolution, "bfloat16")


@without_gpu
def test_a_twin_in_bfloat16_computes_gradients_so(with_flags: Callable[[str], None]) -> None:
    with_flags("avx512f amx_bf16")
    one_place, strided = Conv2D(4, 1), Conv2D(4, 3, strides=2)
    found = operations_of_a_step(unfrozen(network(one_place, strided)))
    assert found.count("Conv2DBackpropFilter") == 1
    assert "MatMul" in found
