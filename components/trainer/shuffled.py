"""Reads a split's records in random order while holding nothing but their positions."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from components.artifacts import tfrecords
from components.fit.seeds import shuffled

_AT_ONCE = 16  # records per call into Python: each call costs as much as reading some


class ShuffledRecords:
    """The serialized Examples of one split, in an order of each epoch's own.

    A shuffle buffer would hold thousands of pictures, or mix only within a window; here positions
    are shuffled, and a record is read when its turn comes. The order follows from seed and epoch
    alone, so that a training that resumes at epoch 7 sees the order that it would have seen.
    """

    def __init__(self, folder: str, seed: int):
        """Finds the records.

        Args:
          folder: of the split; TFRecord files without compression.
          seed: of the orders.
        """
        self._files = tfrecords.files(folder)
        self._seed = seed
        positions = [
            (number, *place)
            for number, file in enumerate(self._files)
            for place in tfrecords.positions(file)
        ]
        self._positions = np.array(positions, np.int64).reshape(-1, 3)

    def __len__(self) -> int:
        return len(self._positions)

    def order(self, epoch: tf.Tensor | int) -> tf.data.Dataset:
        """Returns the records in the order of an epoch."""
        positions = shuffled(self._positions, self._seed, epoch)
        some = tf.data.Dataset.from_tensor_slices(positions).batch(_AT_ONCE)
        return some.map(
            lambda places: tf.ensure_shape(
                tf.numpy_function(self._read, [places], tf.string, stateful=False), [None]
            ),
            num_parallel_calls=2,  # one waits for the disk while the other's are worked on
        ).unbatch()

    def _read(self, places: np.ndarray) -> np.ndarray:
        return np.array([self._read_one(*place) for place in places], object)

    def _read_one(self, number: int, offset: int, length: int) -> bytes:
        with tfrecords.opened(self._files[number]) as file:
            file.seek(int(offset))
            return file.read(int(length))
