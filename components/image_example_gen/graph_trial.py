"""Decodes what keeps its bytes by the decoder of the served graph, in place of Pillow's.

What is predicted of that decoder (serving/graph_decoder.py) is held against it here, picture by
picture. So none that was ingested ends a later step.
"""

from __future__ import annotations

import tensorflow as tf
from PIL import Image

from serving import pictures
from serving.opened_picture import Opened
from serving.pictures import REFUSED, Refused

_EIGHTH = 8


def decode(opened: Opened) -> Image.Image:
    """Returns the pixels of a picture that keeps its bytes, of a JPEG an eighth of the sides.

    A JPEG is decoded by Pillow as well, which alone notices some kinds of damage.

    Raises:
      Refused: the graph can't decode it, or a JPEG is damaged.
    """
    if opened.is_jpeg:
        pixels = pictures.decode(opened)
        _tried(tf.io.decode_jpeg, opened.data, ratio=_EIGHTH)
        return pixels
    return Image.fromarray(_tried(tf.io.decode_image, opened.data, expand_animations=False))


def _tried(decoder, data: bytes, **options):
    try:
        return decoder(data, channels=3, **options).numpy()
    except tf.errors.OpError as error:
        raise Refused(REFUSED) from error
