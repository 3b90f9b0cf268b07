"""What every picture goes through before the network, in training and in serving alike.

TFX's Transform turns `preprocessing_fn` into a graph; BottleneckGen, the Trainer and the exported
signatures all run that one graph, so that they see the same pixels by construction.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from components.artifacts import features
from components.backbones import BACKBONES


def preprocessing_fn(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Decodes, fits and scales.

    Args:
      inputs: `image/encoded`, [batch] or [batch, 1] string.
      custom_config: `backbone`, `size` (height and width in pixels) and `fit`.

    Returns:
      `image`: [batch, height, width, 3] float32, scaled as the backbone's weights expect.
    """
    height, width = custom_config["size"]
    encoded = tf.reshape(inputs[features.ENCODED], [-1])

    def fitted(picture: tf.Tensor) -> tf.Tensor:
        return fit(decode(picture), height, width, custom_config["fit"])

    # One picture at a time: they have different shapes until they are fitted. A loop costs a fifth
    # of the decoding, which the Trainer's input and a single request, being one picture, spare.
    pixels = tf.cond(
        tf.equal(tf.size(encoded), 1),
        lambda: fitted(encoded[0])[tf.newaxis],
        lambda: tf.map_fn(
            fitted, encoded, fn_output_signature=tf.TensorSpec([height, width, 3], tf.float32)
        ),
    )
    return {features.PIXELS: BACKBONES[custom_config["backbone"]].scale(pixels)}


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """Gives [height, width, 3] uint8 RGB of one encoded picture, the first frame of several."""
    pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    return tf.ensure_shape(pixels, [None, None, 3])


def fit(pixels: tf.Tensor, height: int, width: int, how: str) -> tf.Tensor:
    """Gives [height, width, 3] float32 in [0, 255] of [any, any, 3] uint8.

    Args:
      pixels: one picture.
      height: in pixels.
      width: in pixels.
      how: `stretch` distorts, `crop` keeps the middle, `pad` keeps all on black.
    """
    if how == "pad":
        return _whole(pixels, height, width)
    if how == "crop":
        pixels = _middle(pixels, height / width)
    return _resized(pixels, tf.constant([height, width]))


def _resized(pixels: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Gives [height, width, 3] float32 without aliasing.

    Down to half the size, bilinear interpolation reads every pixel; below that each pixel becomes
    the mean of those it stands for. Either costs less than half of `antialias=True`.
    """
    shrinks = tf.reduce_any(tf.shape(pixels)[:2] >= 2 * size)
    return tf.cond(
        shrinks,
        lambda: tf.image.resize(pixels, size, tf.image.ResizeMethod.AREA),
        # The kernel is a quarter faster on floats, also with the cast, and gives the same bits.
        lambda: tf.image.resize(tf.cast(pixels, tf.float32), size),
    )


def _middle(pixels: tf.Tensor, ratio: float) -> tf.Tensor:
    """Cuts the largest middle part whose height is `ratio` times its width."""
    size = tf.cast(tf.shape(pixels)[:2], tf.float32)
    cut_height = tf.minimum(size[0], size[1] * ratio)
    wanted = tf.stack([cut_height, cut_height / ratio])
    wanted = tf.maximum(tf.cast(tf.round(wanted), tf.int32), 1)
    top, left = tf.unstack((tf.shape(pixels)[:2] - wanted) // 2)
    return pixels[top : top + wanted[0], left : left + wanted[1]]


def _whole(pixels: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Centres the whole picture on black; `tf.image.resize_with_pad` fails on very flat ones."""
    size = tf.cast(tf.shape(pixels)[:2], tf.float32)
    scale = tf.minimum(height / size[0], width / size[1])
    inner = tf.maximum(tf.cast(tf.round(size * scale), tf.int32), 1)
    resized = _resized(pixels, inner)
    return tf.image.resize_with_crop_or_pad(resized, height, width)
