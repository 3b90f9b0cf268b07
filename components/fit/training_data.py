"""The data of a fit: read from records, or from arrays in every epoch anew."""

from __future__ import annotations

import dataclasses
import math
import os
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from components.artifacts import features
from components.artifacts.examples import TARGET, parse
from components.fit.seeds import shuffled
from components.fit.worker_share import Share

PARALLEL = 2 * (os.cpu_count() or 1)  # records at once: some wait for their file


@dataclasses.dataclass(frozen=True)
class Data:
    """The data of one phase: batches of (inputs, [batch, classes] float32 labels).

    Labels are one-hot, or those of `target`: a row's sum is the picture's weight.
    """

    epochs: Callable[[int, int], tf.data.Dataset]
    """The training batches from an epoch up to another one, not included, on end."""
    steps: int
    """Batches per epoch; the last one may be smaller."""
    validation: tf.data.Dataset
    dealt: Callable[[int, int], Dealt] | None = None
    """The parts of the worker with this index, of so many workers; None: there is one alone."""
    held: tuple[Kept, ...] = ()
    """The arrays that the batches read: they go with this object, since no batch holds them."""


@dataclasses.dataclass(frozen=True)
class Dealt:
    """As `Data`, of (pictures in the whole batch, inputs, labels): what one worker reads."""

    epochs: Callable[[int, int], tf.data.Dataset]
    validation: tf.data.Dataset


@dataclasses.dataclass(frozen=True)
class Kept:
    """One split's inputs, an array [pictures, ...] of any float per tensor, and its labels.

    The labels are [pictures, classes], as those of `Data`. The arrays may lie in files, which the
    system keeps in memory as far as there is room.
    """

    arrays: list[np.ndarray]
    labels: np.ndarray

    def batches(self, order: tf.Tensor, batch_size: int) -> tf.data.Dataset:
        """Returns (inputs, labels), all float32, of the pictures with these numbers."""

        @tf.autograph.experimental.do_not_convert
        def read(numbers: tf.Tensor) -> tuple[Any, tf.Tensor]:
            inputs, labels = self.read(numbers)
            return (inputs if len(inputs) > 1 else inputs[0]), labels

        numbers = tf.data.Dataset.from_tensor_slices(order).batch(batch_size)
        return numbers.map(read, num_parallel_calls=os.cpu_count())

    def read(self, numbers: tf.Tensor) -> tuple[tuple[tf.Tensor, ...], tf.Tensor]:
        """Returns the inputs, one per array, and the labels, of the rows with these numbers.

        The tensors read as long as somebody holds this object: TensorFlow keeps the function to the
        process's end, and would keep the arrays, which count as the process's memory.
        """
        own = weakref.WeakMethod(self._rows)

        def rows(numbers: np.ndarray) -> list[np.ndarray]:
            found = own()
            if found is None:
                raise RuntimeError("The arrays of these batches are gone: hold their `Data`.")
            return found(numbers)

        kinds = [*(array.dtype for array in self.arrays), tf.float32]
        *found, labels = tf.numpy_function(rows, [numbers], kinds, stateful=False)
        inputs = tuple(
            tf.cast(tf.ensure_shape(tensor, [None, *array.shape[1:]]), tf.float32)
            for tensor, array in zip(found, self.arrays, strict=True)
        )
        return inputs, tf.ensure_shape(labels, [None, self.labels.shape[1]])

    def _rows(self, numbers: np.ndarray) -> list[np.ndarray]:
        return [*(array[numbers] for array in self.arrays), self.labels[numbers]]


def kept_batches(batches: tf.data.Dataset) -> Kept:
    """Returns batches of (one tensor, labels) as arrays in memory."""
    arrays, labels = zip(*batches.as_numpy_iterator(), strict=True)
    return Kept([np.concatenate(arrays)], np.concatenate(labels))


def kept_in_file(
    file: Path, shape: tuple[int, ...], batches: Iterable[tuple[np.ndarray, np.ndarray]]
) -> Kept:
    """Returns batches of (one float32 tensor, labels), whose inputs go into a file.

    Args:
      file: is written; must outlive what is returned.
      shape: of all inputs together, [rows, ...].
      batches: these rows.
    """
    array = np.lib.format.open_memmap(file, "w+", np.float32, shape)
    labels: list[np.ndarray] = []
    done = 0
    for some, some_labels in batches:
        array[done : done + len(some)] = some
        labels.append(some_labels)
        done += len(some)
    return Kept([array], np.concatenate(labels))


def kept_data(train: Kept, validation: Kept, batch_size: int, seed: int, variants: int = 1) -> Data:
    """Returns kept arrays as the data of a phase, in the orders in which it would read records.

    Args:
      train: as many rows per variant; each epoch draws one of a picture's variants.
      validation: the `eval` split.
      batch_size: pictures per batch.
      seed: of the orders and the draws.
      variants: of each training picture.
    """
    pictures, judged = len(train.labels) // variants, tf.range(len(validation.labels))

    def dealt(index: int, workers: int) -> Dealt:
        share = Share(index, workers, batch_size)

        @tf.autograph.experimental.do_not_convert
        def parts(epoch: tf.Tensor) -> tf.data.Dataset:
            return share.counted(train.batches(share.of_order(rows(epoch)), share.size), pictures)

        return Dealt(
            lambda first, last: tf.data.Dataset.range(first, last).flat_map(parts),
            share.counted(
                validation.batches(share.of_order(judged), share.size), len(validation.labels)
            ),
        )

    def rows(epoch: tf.Tensor) -> tf.Tensor:
        numbers = shuffled(np.arange(pictures), seed, epoch)
        key = tf.stack([tf.cast(seed, tf.int64), epoch])
        drawn = tf.random.stateless_uniform([pictures], key, 0, variants, tf.int64)
        return numbers + pictures * drawn

    @tf.autograph.experimental.do_not_convert
    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        return train.batches(rows(epoch), batch_size)

    return Data(
        lambda first, last: (
            tf.data.Dataset.range(first, last).flat_map(epoch_batches).prefetch(tf.data.AUTOTUNE)
        ),
        math.ceil(pictures / batch_size),
        validation.batches(judged, batch_size).prefetch(tf.data.AUTOTUNE),
        dealt,
        held=(train, validation),
    )


def bottleneck_batches(
    examples: tf.data.Dataset,
    shape: Sequence[int],
    classes: Sequence[str],
    batch_size: int,
    soft: bool = False,
) -> tf.data.Dataset:
    """Returns ([batch, *shape] float32 bottleneck features, [batch, classes] one-hot labels).

    Args:
      examples: serialized bottleneck Examples.
      shape: of one picture's features.
      classes: the class list.
      batch_size: pictures per batch; the last one may be smaller.
      soft: labels are those of `target`, for training.
    """
    names = (features.BOTTLENECK, *TARGET)

    @tf.autograph.experimental.do_not_convert
    def read(batch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parsed = parse(batch, *names, shape=shape)
        return parsed[features.BOTTLENECK], target(parsed, classes, soft)

    return examples.batch(batch_size).map(read, num_parallel_calls=PARALLEL)


def target(parsed: Mapping[str, tf.Tensor], classes: Sequence[str], soft: bool = True) -> tf.Tensor:
    """Returns [batch, classes] float32 labels of parsed Examples.

    The label's class has its probability, the other classes share the rest evenly, and all are
    multiplied by the picture's weight, as the picture's cross-entropy then is.

    Args:
      parsed: the features of `examples.TARGET`.
      classes: the class list.
      soft: whether probability and weight count; otherwise labels are one-hot.
    """
    hard = one_hot(parsed[features.LABEL], classes)
    if not soft:
        return hard
    probability = parsed[features.LABEL_PROBABILITY][:, tf.newaxis]
    others = (1.0 - probability) / max(1, len(classes) - 1)
    labels = hard * probability + (1.0 - hard) * others
    return labels * parsed[features.WEIGHT][:, tf.newaxis]


def one_hot(labels: tf.Tensor, classes: Sequence[str]) -> tf.Tensor:
    """Returns 1 at each class name's position in the class list: [batch] string -> float32."""
    return tf.cast(labels[:, tf.newaxis] == tf.constant(classes), tf.float32)
