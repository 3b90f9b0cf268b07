"""Reads a split's records in random order, window by window, from where they lie.

A shuffle buffer would hold thousands of pictures. Here the positions of a window's records are
shuffled, and a record is read when its turn comes: memory holds the positions of two windows,
however many records there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from components.artifacts import record_counts, tfrecords
from components.fit.seeds import shuffled
from components.trainer.window_files import WindowFiles

ROW = ("file", "offset", "length", "index")
"""A record's place: its file's number, its offset there, and how many records stand before it."""

Window = tuple[np.ndarray, int]
"""Its rows in the order of the files, and its number within the epoch."""

_AT_ONCE = 16  # records per call into Python: each call costs as much as reading some
_NEXT_WINDOW = 2**32  # more than any number of epochs


class ShuffledRecords:
    """The serialized Examples of one split, in an order of each epoch's own.

    Each epoch takes the files in another order, some of them at a time, and mixes the records of
    these: a window. A split that fits into one is mixed as a whole. The order follows from seed and
    epoch alone, so that a training that resumes at epoch 7 sees the order that it would have seen.
    """

    def __init__(self, folder: str, seed: int, window: int, count: int | None = None):
        """Finds the records.

        Args:
          folder: of the split; TFRecord files without compression.
          seed: of the orders.
          window: records that are mixed at a time, to the end of the last one's file.
          count: their number; None: they are counted.
        """
        self._folder = folder
        self._files = WindowFiles(tfrecords.files(folder))
        self._count = tfrecords.count(folder) if count is None else count
        self._seed = seed
        self._window = window
        self._whole: np.ndarray | None = None

    def __len__(self) -> int:
        return self._count

    def order(self, epoch: tf.Tensor | int) -> tf.data.Dataset:
        """Returns the records in the order of an epoch."""
        return self.records(self.rows(epoch))

    def records(self, rows: tf.data.Dataset) -> tf.data.Dataset:
        """Returns the records of these rows."""
        # Two calls: one waits for the disk while the other's records are worked on.
        return rows.batch(_AT_ONCE).map(self.read, num_parallel_calls=2).unbatch()

    def rows(self, epoch: tf.Tensor | int) -> tf.data.Dataset:
        """Returns a `ROW` of int64 for each record, in the order of an epoch."""
        epoch = tf.cast(epoch, tf.int64)
        return self._from(self._of_epoch, epoch).flat_map(
            lambda rows, number: tf.data.Dataset.from_tensor_slices(
                shuffled(rows, self._seed, epoch + number * _NEXT_WINDOW)
            )
        )

    def in_order(self) -> tf.data.Dataset:
        """Returns a `ROW` for each record, in the order in which they were written."""
        windows = self._from(lambda: self._windows(range(len(self._files))))
        return windows.flat_map(lambda rows, _: tf.data.Dataset.from_tensor_slices(rows))

    @staticmethod
    def _from(windows: Callable[..., Iterator[Window]], *arguments: tf.Tensor) -> tf.data.Dataset:
        kinds = (tf.TensorSpec([None, len(ROW)], tf.int64), tf.TensorSpec([], tf.int64))
        found = tf.data.Dataset.from_generator(windows, args=arguments, output_signature=kinds)
        return found.prefetch(1)

    def firsts(self, most: int) -> np.ndarray:
        """Returns how many records stand before each file; from the `most`th record on, `most`.

        What a file holds behind that is not looked at.
        """
        firsts = np.full(len(self._files), most, np.int64)
        before = 0
        for number in range(len(self._files)):
            if before >= most:
                break
            firsts[number] = before
            before += self._files.count(number)
        return firsts

    def read(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the [batch] serialized Examples of [batch, ROW] rows."""
        found = tf.numpy_function(self._read, [rows], tf.string, stateful=False)
        return tf.ensure_shape(found, [None])

    def _of_epoch(self, epoch: int) -> Iterator[Window]:
        if self._count > self._window:
            files = np.random.default_rng([self._seed, int(epoch)]).permutation(len(self._files))
            yield from self._windows(files.tolist())
            return
        if self._whole is None:
            self._whole = _joined([rows for rows, _ in self._windows(range(len(self._files)))])
        yield self._whole, 0

    def _windows(self, files: Sequence[int]) -> Iterator[Window]:
        """Yields the records of as many files at a time as make a window."""
        found: list[np.ndarray] = []
        seen, windows = 0, 0
        for number, places in self._files.opened(files):
            rows = np.empty((len(places), len(ROW)), np.int64)
            rows[:, 0], rows[:, 3] = number, np.arange(len(places))
            rows[:, 1:3] = np.array(places, np.int64).reshape(-1, 2)
            found.append(rows)
            seen += len(rows)
            if sum(map(len, found)) >= self._window:
                yield _joined(found), windows
                found, windows = [], windows + 1
                self._files.end_window()
        if found:
            yield _joined(found), windows
            self._files.end_window()
        record_counts.check(f"records of {self._folder}", seen, self._count)

    def _read(self, rows: np.ndarray) -> np.ndarray:
        return np.array([self._files.read(*row[:3]) for row in rows.tolist()], object)


def _joined(found: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty((0, len(ROW)), np.int64), *found])
