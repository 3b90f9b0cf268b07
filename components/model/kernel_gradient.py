"""A convolution in bfloat16 whose kernel's gradient is a product of matrices.

For that gradient oneDNN (of TensorFlow 2.16) takes two to four times as long as for the convolution
itself by AMX, where kernels see one place or maps are small: half of the time of training
InceptionV3 above `mixed7`. A product of the same numbers takes 0.3 to 0.9 of it, and rounds its
sums as often (measured 2026-11-28 in batches of 16 and 32, on maps of 5 to 149 places a side;
larger kernels on larger maps are slower so). Without AMX a step took 1.06 times as long so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from components import processor

_MOST_PLACES = 100  # of a map, where a kernel sees several: each of them is a product of its own


def is_faster(layer: keras.layers.Conv2D, precision: str) -> bool:
    """Checks whether the gradient of a layer's kernel is better computed so.

    Args:
      layer: a built convolution, neither depthwise nor separable.
      precision: in which it computes.
    """
    return (
        precision == "bfloat16"
        and not tf.config.list_physical_devices("GPU")  # whose library knows it better
        and bool(layer.trainable_weights)
        and layer.groups == 1
        and layer.data_format == "channels_last"
        and {*layer.strides, *layer.dilation_rate} == {1}
        and (layer.kernel_size == (1, 1) or _places(layer.output) <= _MOST_PLACES)
        and processor.uses_amx()
    )


def _places(maps: keras.KerasTensor) -> float:
    sides = maps.shape[1:3]
    return float("inf") if None in sides else sides[0] * sides[1]


def convolution(padding: str) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Returns a function of maps [batch, height, width, channels] and a kernel.

    Args:
      padding: `same` or `valid`; the strides are 1.
    """
    named = padding.upper()

    @tf.custom_gradient
    def convolve(maps: tf.Tensor, kernel: tf.Tensor) -> Any:
        def gradients(above: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            below = tf.nn.conv2d_transpose(above, kernel, tf.shape(maps), 1, named)
            return below, _of_kernel(maps, kernel.shape, above, named)

        return tf.nn.conv2d(maps, kernel, 1, named), gradients

    return convolve


def _of_kernel(maps: tf.Tensor, shape: tf.TensorShape, above: tf.Tensor, padding: str) -> tf.Tensor:
    """Returns the gradient of a kernel of this shape: a product for each place that it sees."""
    high, wide, channels, filters = shape
    if padding == "SAME":
        margins = [((side - 1) // 2, side // 2) for side in (high, wide)]
        maps = tf.pad(maps, [(0, 0), *margins, (0, 0)])
    rows = tf.reshape(above, [-1, filters])
    height, width = tf.shape(above)[1], tf.shape(above)[2]
    found = [
        tf.matmul(
            tf.reshape(maps[:, down : down + height, right : right + width], [-1, channels]),
            rows,
            transpose_a=True,
        )
        for down in range(high)
        for right in range(wide)
    ]
    return tf.reshape(tf.stack(found), shape)
