"""Which pictures of a batch one of several workers reads: the others' are not read at all."""

from __future__ import annotations

import dataclasses

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Share:
    """An equal part, but for rounding, of each batch of every epoch."""

    index: int
    """Of the worker."""
    workers: int
    batch_size: int
    """Of all workers together."""

    def of(self, items: tf.data.Dataset) -> tf.data.Dataset:
        """Returns those of an epoch's items that are this worker's."""
        return items.batch(self.batch_size).flat_map(
            lambda batch: tf.data.Dataset.from_tensor_slices(self._part(batch))
        )

    def of_order(self, items: tf.Tensor) -> tf.Tensor:
        """Returns the same of an epoch's items in a tensor."""
        count = tf.shape(items)[0]
        number = tf.range(count)
        size = tf.minimum(self.batch_size, count - number // self.batch_size * self.batch_size)
        place = number % self.batch_size
        first, last = self.index * size // self.workers, (self.index + 1) * size // self.workers
        return items[(place >= first) & (place < last)]

    @property
    def size(self) -> int:
        """Of this worker's part of a whole batch."""
        return self.batch_size // self.workers

    def counted(self, parts: tf.data.Dataset, count: int) -> tf.data.Dataset:
        """Returns (pictures of the whole batch, *part) for each batch of an epoch.

        Args:
          parts: this worker's batches, of which an empty last one is missing.
          count: pictures of the epoch.
        """
        whole, rest = divmod(count, self.batch_size)
        sizes = [self.batch_size] * whole + [rest] * (rest > 0)
        empty = tf.nest.map_structure(
            lambda spec: tf.zeros([1, 0, *spec.shape[1:]], spec.dtype), parts.element_spec
        )
        ends = parts.concatenate(tf.data.Dataset.from_tensor_slices(empty))
        numbers = tf.data.Dataset.from_tensor_slices(np.array(sizes, np.int64))
        # Of the two the shorter one ends it: the empty batch is taken where it is needed alone.
        return tf.data.Dataset.zip((numbers, ends)).map(lambda number, part: (number, *part))

    def _part(self, batch: tf.Tensor) -> tf.Tensor:
        count = tf.shape(batch)[0]
        return batch[self.index * count // self.workers : (self.index + 1) * count // self.workers]
