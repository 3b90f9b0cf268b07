"""Decodes one picture in TensorFlow, and fits it to a size."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

_JPEG = b"\xff\xd8\xff"
_JPEG_HEAD = _JPEG + bytes.fromhex("c0000b080001000101011100ffda0008010100003f00")  # 1 x 1, grey
_DOT = b"BM" + bytes.fromhex(  # a BMP of 1 x 1, black
    "3a000000000000003600000028000000010000000100000001001800000000000400000000000000000000000000"
    "00000000000000000000"
)
_HEAD_BYTES = 26  # in which PNG, GIF and BMP say their size
# First bytes; where height and width stand, the lowest byte first; what turns negative ones.
_FORMATS = [
    (b"\x89PNG\r\n\x1a\n", [23, 22, 21, 20], [19, 18, 17, 16], 2**62),
    (b"GIF8", [8, 9], [6, 7], 2**62),
    (b"BM", [22, 23, 24, 25], [18, 19, 20, 21], 2**32),
]
_ANY = -1


def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns `_FORMATS` as arrays, so that a few ops read a head: each costs a microsecond or two.

    Returns:
      [formats, 8] bytes that a file begins with or `_ANY`; [formats, 2, head] what each byte of the
      head counts in height and width; [formats, 1] the value that turns a negative one positive.
    """
    magic = np.full([len(_FORMATS), 8], _ANY)
    places = np.zeros([len(_FORMATS), 2, _HEAD_BYTES], np.int64)
    for row, (first, *sizes, _) in enumerate(_FORMATS):
        magic[row, : len(first)] = list(first)
        for column, bytes_of_it in enumerate(sizes):
            places[row, column, bytes_of_it] = 256 ** np.arange(len(bytes_of_it))
    return magic, places, np.array([[turn] for *_, turn in _FORMATS])


_MAGIC, _PLACES, _TURNS = _tables()


def decode(encoded: tf.Tensor, max_pixels: int | None = None) -> tf.Tensor:
    """Returns [height, width, 3] uint8 RGB of one encoded picture, the first frame of several.

    Of a JPEG the same pixels as Pillow and every other decoder by libjpeg-turbo, to the last bit
    and of damaged ones, too. `decode_image` alone takes the fast transform, which is up to 8 levels
    off, up to 255 where coefficients overflow, and hardly faster.

    Args:
      encoded: the bytes of a JPEG, PNG, GIF or BMP file, a scalar.
      max_pixels: height x width allowed, by what the file's head says: a picture with more ends the
        graph with INVALID_ARGUMENT before memory is taken for it. None: any.
    """
    if max_pixels is not None:
        with tf.control_dependencies([_few_enough(encoded, max_pixels)]):
            encoded = tf.identity(encoded)
    is_jpeg = tf.equal(tf.strings.substr(encoded, 0, len(_JPEG)), _JPEG)
    # Outside of the condition: errors name the op, as clients know them.
    other = tf.io.decode_image(
        tf.where(is_jpeg, _DOT, encoded), channels=3, expand_animations=False
    )
    pixels = tf.cond(
        is_jpeg,
        lambda: tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE"),
        lambda: other,
    )
    return tf.ensure_shape(pixels, [None, None, 3])


def size_of(encoded: tf.Tensor) -> tf.Tensor:
    """Returns [height, width] int64 of one encoded picture, read from the file's head.

    Zeros for a file that is none of JPEG, PNG, GIF and BMP, or ends in its head: no decoder takes
    it. Of a GIF, that of its screen.
    """
    head = tf.strings.substr(tf.strings.join([encoded, b"\0" * _HEAD_BYTES]), 0, _HEAD_BYTES)
    raw = tf.cast(tf.io.decode_raw(head, tf.uint8), tf.int64)
    magic = tf.reduce_all((raw[: _MAGIC.shape[1]] == _MAGIC) | (_MAGIC == _ANY), axis=1)
    numbers = tf.reduce_sum(raw * _PLACES, axis=-1)
    # BMP's are signed: of a negative one, its size without the sign.
    numbers = tf.minimum(numbers, _TURNS - numbers)
    is_jpeg = tf.reduce_all(raw[: len(_JPEG)] == list(_JPEG))
    # Without `tf.cond`, which costs more than all of this.
    jpeg = tf.image.extract_jpeg_shape(tf.where(is_jpeg, encoded, _JPEG_HEAD))[:2]
    other = tf.reduce_sum(tf.where(magic[:, tf.newaxis], numbers, 0), axis=0)
    return tf.ensure_shape(tf.where(is_jpeg, tf.cast(jpeg, tf.int64), other), [2])


def _few_enough(encoded: tf.Tensor, max_pixels: int) -> tf.Operation:
    """Returns the op that ends the graph for a picture with too many pixels."""
    height, width = tf.unstack(size_of(encoded))
    found = tf.strings.join([tf.strings.as_string(width), "x", tf.strings.as_string(height)])
    allowed = f", at most {max_pixels:,} in all are allowed"
    said = tf.strings.join(["too many pixels: ", found, allowed])
    # Divided, since the product of two claims of 32 bit does not fit into 64.
    fits = tf.less_equal(height, max_pixels // tf.maximum(width, 1))
    return tf.raw_ops.Assert(condition=fits, data=[said])  # `tf.debugging.Assert` is a `tf.cond`


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
