"""Decodes one picture in TensorFlow, and fits it to a size."""

from __future__ import annotations

import tensorflow as tf


def decode(encoded: tf.Tensor) -> tf.Tensor:
    """Returns [height, width, 3] uint8 RGB of one encoded picture, the first frame of several."""
    pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    return tf.ensure_shape(pixels, [None, None, 3])


def fit(pixels: tf.Tensor, height: int, width: int, how: str) -> tf.Tensor:
    """Returns [height, width, 3] float32 in [0, 255] of [any, any, 3] uint8.

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
    """Returns [height, width, 3] float32 without aliasing.

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
