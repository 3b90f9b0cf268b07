"""Decodes one picture in TensorFlow, and fits it to a size."""

from __future__ import annotations

import tensorflow as tf

_HEAD_BYTES = 26  # in which PNG, GIF and BMP say their size


def decode(encoded: tf.Tensor, max_pixels: int | None = None) -> tf.Tensor:
    """Returns [height, width, 3] uint8 RGB of one encoded picture, the first frame of several.

    Args:
      encoded: the bytes of a JPEG, PNG, GIF or BMP file, a scalar.
      max_pixels: height x width allowed, by what the file's head says: a picture with more ends the
        graph with INVALID_ARGUMENT before memory is taken for it. None: any.
    """
    if max_pixels is not None:
        with tf.control_dependencies([_few_enough(encoded, max_pixels)]):
            encoded = tf.identity(encoded)
    pixels = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    return tf.ensure_shape(pixels, [None, None, 3])


def size_of(encoded: tf.Tensor) -> tf.Tensor:
    """Returns [height, width] int64 of one encoded picture, read from the file's head.

    Zeros for a file that is none of JPEG, PNG, GIF and BMP, or ends in its head: no decoder takes
    it. Of a GIF, that of its screen.
    """
    head = tf.strings.substr(
        tf.strings.join([encoded, tf.constant(b"\0" * _HEAD_BYTES)]), 0, _HEAD_BYTES
    )

    def begins(magic: bytes) -> tf.Tensor:
        return tf.equal(tf.strings.substr(head, 0, len(magic)), tf.constant(magic))

    raw = tf.cast(tf.io.decode_raw(head, tf.uint8), tf.int64)

    def number(*places: int) -> tf.Tensor:
        """The bytes at these places, the lowest first."""
        return tf.add_n([raw[place] * 256**power for power, place in enumerate(places)])

    def signed(*places: int) -> tf.Tensor:
        found = number(*places)
        return tf.minimum(found, 2**32 - found)  # of a negative one, its size without the sign

    png = tf.stack([number(23, 22, 21, 20), number(19, 18, 17, 16)])
    gif = tf.stack([number(8, 9), number(6, 7)])
    bmp = tf.stack([signed(22, 23, 24, 25), signed(18, 19, 20, 21)])
    none = tf.zeros([2], tf.int64)
    others = tf.where(begins(b"BM"), bmp, none)
    others = tf.where(begins(b"GIF8"), gif, others)
    others = tf.where(begins(b"\x89PNG\r\n\x1a\n"), png, others)
    return tf.cond(
        begins(b"\xff\xd8\xff"),
        lambda: tf.cast(tf.image.extract_jpeg_shape(encoded)[:2], tf.int64),
        lambda: others,
    )


def _few_enough(encoded: tf.Tensor, max_pixels: int) -> tf.Operation:
    """Returns the op that ends the graph for a picture with too many pixels."""
    height, width = tf.unstack(size_of(encoded))
    found = tf.strings.join([tf.strings.as_string(width), "x", tf.strings.as_string(height)])
    allowed = f", at most {max_pixels:,} in all are allowed"
    said = tf.strings.join(["too many pixels: ", found, allowed])
    # Divided, since the product of two claims of 32 bit does not fit into 64.
    fits = tf.less_equal(height, max_pixels // tf.maximum(width, 1))
    return tf.debugging.Assert(fits, [said])


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
