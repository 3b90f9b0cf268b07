"""Reads a split's records in random order while holding nothing but their positions."""

from __future__ import annotations

import os

import numpy as np
import tensorflow as tf

from components import records


class ShuffledRecords:
    """The serialized Examples of one split, in an order of each epoch's own.

    A shuffle buffer would hold thousands of pictures, or mix only within a window; here positions
    are shuffled, and a record is read when its turn comes. The order follows from seed and epoch
    alone, so that a training that goes on from epoch 7 sees what it would have seen.
    """

    def __init__(self, folder: str, seed: int):
        """Finds the records.

        Args:
          folder: of the split; TFRecord files without compression.
          seed: the same one gives the same orders.
        """
        self._files = records.files(folder)
        self._seed = seed
        positions = [
            (number, *place)
            for number, file in enumerate(self._files)
            for place in records.positions(file)
        ]
        self._positions = np.array(positions, np.int64).reshape(-1, 3)

    def __len__(self) -> int:
        return len(self._positions)

    def order(self, epoch: tf.Tensor | int) -> tf.data.Dataset:
        """Gives the records in the order of an epoch."""
        return tf.data.Dataset.from_tensor_slices(shuffled(self._positions, self._seed, epoch)).map(
            lambda position: tf.ensure_shape(
                tf.numpy_function(self._read, [position], tf.string, stateful=False), []
            ),
            num_parallel_calls=os.cpu_count(),
        )

    def _read(self, position: np.ndarray) -> bytes:
        number, offset, length = position
        with tf.io.gfile.GFile(self._files[number], "rb") as file:
            file.seek(int(offset))
            return file.read(int(length))


def shuffled(rows: np.ndarray, seed: int, epoch: tf.Tensor | int) -> tf.Tensor:
    """Gives the rows in an order that follows from seed and epoch alone."""
    return tf.random.experimental.stateless_shuffle(
        tf.constant(rows), seed=tf.stack([tf.cast(seed, tf.int64), tf.cast(epoch, tf.int64)])
    )
