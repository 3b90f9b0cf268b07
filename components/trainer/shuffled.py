"""Reads a split's records in random order, window by window, from where they lie.

A shuffle buffer would hold thousands of pictures. Here the positions of a window's records are
shuffled, and a record is read when its turn comes: memory holds the positions of two windows,
however many records there are.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from components.artifacts import record_counts, tfrecords
from components.fit.seeds import shuffled

ROW = ("file", "offset", "length", "index")
"""What is known of a record: its file's number, where it lies in it, how many stand before it."""

_AT_ONCE = 16  # records per call into Python: each call costs as much as reading some
_WINDOW_BIT = 32  # above any epoch's number


class ShuffledRecords:
    """The serialized Examples of one split, in an order of each epoch's own.

    Each epoch takes the files in another order, some of them at a time, and mixes the records of
    these: a window. A split that fits into one is mixed as a whole. The order follows from seed and
    epoch alone, so that a training that resumes at epoch 7 sees the order that it would have seen.
    """

    def __init__(self, folder: str, seed: int, window: int):
        """Finds the records.

        Args:
          folder: of the split; TFRecord files without compression.
          seed: of the orders.
          window: records that are mixed at a time, to the end of the last one's file.
        """
        self._folder = folder
        self._files = tfrecords.files(folder)
        self._count = tfrecords.count(folder)
        self._seed = seed
        self._window = window
        self._whole: np.ndarray | None = None

    def __len__(self) -> int:
        return self._count

    def order(self, epoch: tf.Tensor | int) -> tf.data.Dataset:
        """Returns the records in the order of an epoch."""
        some = self.rows(epoch).batch(_AT_ONCE)
        # Two calls: one waits for the disk while the other's records are worked on.
        return some.map(self.read, num_parallel_calls=2).unbatch()

    def rows(self, epoch: tf.Tensor | int) -> tf.data.Dataset:
        """Returns a `ROW` of int64 for each record, in the order of an epoch."""
        epoch = tf.cast(epoch, tf.int64)
        kinds = (tf.TensorSpec([None, len(ROW)], tf.int64), tf.TensorSpec([], tf.int64))
        windows = tf.data.Dataset.from_generator(
            self._windows, args=(epoch,), output_signature=kinds
        )
        return windows.prefetch(1).flat_map(
            lambda rows, number: tf.data.Dataset.from_tensor_slices(
                shuffled(rows, self._seed, epoch + (number << _WINDOW_BIT))
            )
        )

    def in_order(self) -> tf.data.Dataset:
        """Returns a `ROW` for each record, in the order in which they were written."""
        files = tf.data.Dataset.from_generator(
            lambda: map(self._rows, range(len(self._files))),
            output_signature=tf.TensorSpec([None, len(ROW)], tf.int64),
        )
        return files.unbatch()

    def firsts(self, most: int) -> np.ndarray:
        """Returns how many records stand before each file; from the `most`th record on, `most`.

        What a file holds behind that is not looked at.
        """
        firsts = np.full(len(self._files), most, np.int64)
        before = 0
        for number, file in enumerate(self._files):
            if before >= most:
                break
            firsts[number] = before
            before += len(tfrecords.positions(file))
        return firsts

    def read(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the [batch] serialized Examples of [batch, ROW] rows."""
        found = tf.numpy_function(self._read, [rows], tf.string, stateful=False)
        return tf.ensure_shape(found, [None])

    def _windows(self, epoch: int) -> Iterator[tuple[np.ndarray, int]]:
        """Yields the rows of each window in the order of the files, and the window's number."""
        if self._count <= self._window:
            if self._whole is None:
                self._whole = self._joined(map(self._rows, range(len(self._files))))
            yield self._whole, 0
            return
        files = np.random.default_rng([self._seed, int(epoch)]).permutation(len(self._files))
        found: list[np.ndarray] = []
        seen, number = 0, 0
        for file in files.tolist():
            found.append(self._rows(file))
            if sum(map(len, found)) >= self._window:
                yield self._joined(found), number
                seen, number = seen + sum(map(len, found)), number + 1
                found = []
        if found:
            yield self._joined(found), number
        seen += sum(map(len, found))
        record_counts.check(f"records of {self._folder}", seen, self._count)

    @staticmethod
    def _joined(found: Iterator[np.ndarray] | list[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.empty((0, len(ROW)), np.int64), *found])

    def _rows(self, number: int) -> np.ndarray:
        places = tfrecords.positions(self._files[number])
        rows = np.empty((len(places), len(ROW)), np.int64)
        rows[:, 0], rows[:, 3] = number, np.arange(len(places))
        rows[:, 1:3] = np.array(places, np.int64).reshape(-1, 2)
        return rows

    def _read(self, rows: np.ndarray) -> np.ndarray:
        return np.array([self._read_one(*row) for row in rows.tolist()], object)

    def _read_one(self, number: int, offset: int, length: int, _: int) -> bytes:
        with tfrecords.opened(self._files[number]) as file:
            file.seek(offset)
            return file.read(length)
