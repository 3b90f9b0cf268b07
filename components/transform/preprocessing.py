"""Preprocesses every picture before the network, in training and in serving alike.

TFX's Transform turns `preprocessing_fn` into a graph; BottleneckGen, the Trainer and the exported
signatures all run that one graph, so that they see the same pixels by construction.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from components.artifacts import features
from components.backbones import BACKBONES
from components.picture_ops import decode, fit
from serving.picture_settings import MAX_PIXELS

_AT_ONCE = 4  # pictures of one request that are decoded; each may take 3 bytes per allowed pixel


def preprocessing_fn(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Decodes, fits and scales.

    Args:
      inputs: `image/encoded`, [batch] or [batch, 1] string.
      custom_config: `backbone`, `size` (height and width in pixels), `fit`, and `max_pixels`, over
        which a picture is refused before it is decoded.

    Returns:
      `image`: [batch, height, width, 3] float32, scaled as the backbone's weights expect.
    """
    height, width = custom_config["size"]
    max_pixels = custom_config.get("max_pixels", MAX_PIXELS)
    fitted = _fitted(height, width, custom_config["fit"], max_pixels)
    encoded = tf.reshape(inputs[features.ENCODED], [-1])

    # One picture at a time: they have different shapes until they are fitted. A loop costs a fifth
    # of the decoding, which the Trainer's input and a single request, being one picture, spare.
    pixels = tf.cond(
        tf.equal(tf.size(encoded), 1),
        lambda: fitted(encoded[0])[tf.newaxis],
        lambda: tf.map_fn(
            fitted,
            encoded,
            parallel_iterations=_AT_ONCE,
            fn_output_signature=tf.TensorSpec([height, width, 3], tf.float32),
        ),
    )
    return {features.PIXELS: BACKBONES[custom_config["backbone"]].scale(pixels)}


@functools.cache
def _fitted(height: int, width: int, how: str, max_pixels: int) -> Callable[..., tf.Tensor]:
    """Returns what decodes and fits one picture, traced once however often Transform traces."""

    @tf.function(input_signature=[tf.TensorSpec([], tf.string)], autograph=False)
    def fitted(picture: tf.Tensor) -> tf.Tensor:
        return fit(decode(picture, max_pixels), height, width, how)

    return fitted
