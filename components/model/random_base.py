"""A base with random weights, for `model.weights: null`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from components.model.inner_layers import with_inner
from components.model.transform_graph import Pixels, first_pictures
from components.pretrained.base import build_base

_PICTURES = 2  # a mean over all their pixels and channels, and all layers' maps are held at once


def build_random_base(backbone: str, pixels: Pixels, train: str, seed: int) -> keras.Model:
    """Returns the backbone with random weights, scaled to pictures of the training split.

    As Keras makes them, the BatchNormalization layers of a base that runs in inference mode
    change nothing, and a random MobileNet returns features near 1e-21, on which no head can be
    fitted. Here they scale their inputs, one after the other, to unit power: layer-sequential
    unit-variance initialisation (Mishkin and Matas, "All you need is a good init", 2016).

    Args:
      backbone: a key of `BACKBONES`.
      pixels: the Transform graph.
      train: folder of the training split.
      seed: of the weights.
    """
    keras.utils.set_random_seed(seed)
    base = build_base(backbone, pixels.size, None)
    images = pixels(tf.constant(first_pictures(train, _PICTURES)))
    kind = keras.layers.BatchNormalization
    scaling = [layer for layer in with_inner(base.layers) if isinstance(layer, kind)]
    for layer in scaling:
        layer.call = functools.partial(_scale_then_call, layer, layer.call)
    base(images, training=False)
    for layer in scaling:
        del layer.call
    return base


def _scale_then_call(
    layer: keras.layers.BatchNormalization,
    call: Callable[..., tf.Tensor],
    received: tf.Tensor,
    **arguments: Any,
) -> tf.Tensor:
    """Computes a layer that scales what it receives now to unit power."""
    power = tf.reduce_mean(tf.square(received))
    layer.moving_variance.assign(tf.fill(layer.moving_variance.shape, power))
    return call(received, **arguments)
