"""Reads a split's records in random order while holding nothing but their positions."""

from __future__ import annotations

import os
import struct

import numpy as np
import tensorflow as tf

_HEADER, _FOOTER = 12, 4  # bytes around a record: its length and that one's checksum; a checksum


def shuffled_records(folder: str, seed: int) -> tf.data.Dataset:
    """Gives the serialized Examples of one split, in another order in every epoch.

    A shuffle buffer would hold thousands of pictures, or mix only within a window; here positions
    are shuffled, and a record is read when its turn comes.

    Args:
      folder: of the split.
      seed: the same one gives the same orders.
    """
    files = sorted(tf.io.gfile.glob(os.path.join(folder, "*")))
    positions = [(number, *place) for number, file in enumerate(files) for place in _records(file)]

    def read(position: np.ndarray) -> bytes:
        number, offset, length = position
        with tf.io.gfile.GFile(files[number], "rb") as file:
            file.seek(int(offset))
            return file.read(int(length))

    dataset = tf.data.Dataset.from_tensor_slices(np.array(positions, np.int64).reshape(-1, 3))
    return dataset.shuffle(max(1, len(positions)), seed=seed).map(
        lambda position: tf.ensure_shape(tf.numpy_function(read, [position], tf.string), []),
        num_parallel_calls=tf.data.AUTOTUNE,
    )


def _records(path: str) -> list[tuple[int, int]]:
    """Gives offset and length in bytes of each record of a TFRecord file without compression."""
    found = []
    with tf.io.gfile.GFile(path, "rb") as file:
        while header := file.read(_HEADER):
            (length,) = struct.unpack("<Q", header[:8])
            found.append((file.tell(), length))
            file.seek(file.tell() + length + _FOOTER)
    return found
