"""Bottleneck features as arrays that every trial reads again."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from components import features, records
from components.class_weights import balanced
from components.seeds import shuffled
from components.transform_graph import read_records

_AT_ONCE = 256  # records


@dataclasses.dataclass(frozen=True)
class Split:
    """One split's features [pictures, *shape] float32 and labels [pictures, classes] one-hot.

    The features lie in a file that the system keeps in memory as far as there is room.
    """

    features: np.ndarray
    labels: np.ndarray

    def batches(self, order: tf.Tensor, batch_size: int) -> tf.data.Dataset:
        """Gives (features, labels), both float32, of the pictures with these numbers."""

        def read(numbers: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            found = tf.numpy_function(
                lambda rows: (self.features[rows], self.labels[rows]),
                [numbers],
                [tf.float32, tf.float32],
                stateful=False,
            )
            arrays = (self.features, self.labels)
            x, y = (
                tf.ensure_shape(tensor, [None, *array.shape[1:]])
                for tensor, array in zip(found, arrays, strict=True)
            )
            return x, y

        numbers = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
        return numbers.map(read, num_parallel_calls=tf.data.AUTOTUNE)


@dataclasses.dataclass(frozen=True)
class Bottlenecks:
    """What phase `frozen` reads, in the orders in which the Trainer reads it."""

    train: Split
    validation: Split
    batch_size: int
    seed: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture's features."""
        return self.train.features.shape[1:]

    @property
    def classes(self) -> int:
        """Their number."""
        return self.train.labels.shape[1]

    @property
    def steps(self) -> int:
        """Batches per epoch; the last one may be smaller."""
        return math.ceil(len(self.train.labels) / self.batch_size)

    def epochs(self, count: int) -> tf.data.Dataset:
        """Gives the training batches of so many epochs, on end."""
        numbers = np.arange(len(self.train.labels))
        return (
            tf.data.Dataset.range(count)
            .flat_map(
                lambda epoch: self.train.batches(
                    shuffled(numbers, self.seed, epoch), self.batch_size
                )
            )
            .prefetch(tf.data.AUTOTUNE)
        )

    def evaluation(self) -> tf.data.Dataset:
        """Gives the batches of the `eval` split."""
        order = tf.range(len(self.validation.labels))
        return self.validation.batches(order, self.batch_size).prefetch(tf.data.AUTOTUNE)

    def class_weights(self) -> dict[int, float]:
        """Gives how much each class index weighs in the loss, so that the rare ones count."""
        counts = self.train.labels.sum(axis=0).astype(int)
        weights = balanced({str(index): int(count) for index, count in enumerate(counts)})
        return {int(index): weight for index, weight in weights.items()}


def read_bottlenecks(
    uri: str, shape: Sequence[int], classes: Sequence[str], batch_size: int, seed: int, folder: Path
) -> Bottlenecks:
    """Reads what BottleneckGen wrote.

    Args:
      uri: folder of the Bottlenecks artifact.
      shape: of one picture's features.
      classes: the class list.
      batch_size: pictures per batch.
      seed: of the orders.
      folder: where the features go; must outlive what is returned.
    """
    train, validation = (
        _read(os.path.join(uri, f"Split-{name}"), shape, classes, folder / f"{name}.npy")
        for name in (features.TRAIN, features.EVAL)
    )
    return Bottlenecks(train, validation, batch_size, seed)


def _read(source: str, shape: Sequence[int], classes: Sequence[str], target: Path) -> Split:
    parse = {
        features.BOTTLENECK: tf.io.FixedLenFeature(shape, tf.float32),
        features.LABEL: tf.io.FixedLenFeature([], tf.string),
    }
    pictures = records.count(source)
    array = np.lib.format.open_memmap(target, "w+", np.float32, (pictures, *shape))
    names = np.array([name.encode() for name in classes], object)
    labels: list[np.ndarray] = []
    done = 0
    for batch in read_records(source).batch(_AT_ONCE):
        parsed = tf.io.parse_example(batch, parse)
        array[done : done + len(batch)] = parsed[features.BOTTLENECK]
        labels.append(parsed[features.LABEL].numpy()[:, np.newaxis] == names)
        done += len(batch)
    return Split(array, np.concatenate(labels).astype(np.float32))
