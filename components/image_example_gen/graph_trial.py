"""Decodes what keeps its bytes by the decoder of the served graph, in place of Pillow's.

What is predicted of that decoder (serving/graph_decoder.py) is held against it here, picture by
picture. So none that was ingested ends a later step.

Ordinary JPEGs alone are not tried: `serving.pictures.decode` decodes them by libjpeg-turbo, as
TensorFlow does, and hears its warnings, which can't be had of TensorFlow. Both decoders together
would double the ingest's cost per photograph (500x375 pixels: from 1.4 to 2.9 ms of CPU; a PNG
costs 0.4 ms more).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from PIL import Image

from serving import pictures
from serving.opened_picture import Opened
from serving.pictures import REFUSED, Refused

_EIGHTH = 8


def decode(opened: Opened) -> Image.Image:
    """Returns the pixels of a picture that keeps its bytes, of a JPEG an eighth of the sides.

    Raises:
      Refused: the graph can't decode it, or a JPEG is damaged.
      PictureError: a JPEG without some of its scans.
      OSError: the data of a JPEG are cut.
    """
    if opened.format == "PNG":
        return _tried(tf.io.decode_png, opened.data)
    if not opened.is_jpeg:
        return _tried(tf.io.decode_image, opened.data, expand_animations=False)
    pixels = pictures.decode(opened)
    if opened.jpeg is not None and opened.jpeg.is_ordinary:
        return pixels
    return _tried(tf.io.decode_jpeg, opened.data, ratio=_EIGHTH)


def _tried(decoder: Callable[..., tf.Tensor], data: bytes, **options: Any) -> Image.Image:
    """Returns the decoder's pixels as an image of mode L or RGB."""
    try:
        # Of bytes TensorFlow's fast way makes no tensor, but fails first: 30 µs.
        pixels = decoder(tf.constant(data), **options).numpy()
    except tf.errors.OpError as error:
        raise Refused(REFUSED) from error
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
