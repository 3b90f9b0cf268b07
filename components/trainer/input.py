"""What the two phases read, as `tf.data` pipelines that give the same order for the same seed."""

from __future__ import annotations

import collections
from collections.abc import Callable

import tensorflow as tf

from components import features
from components.transform_graph import PARSE_PICTURE, Pixels, read_records

_SHUFFLED = 4096  # records mixed at a time; the ingest has already mixed the classes


def bottleneck_batches(
    folder: str, width: int, classes: list[str], batch_size: int, seed: int | None
) -> tf.data.Dataset:
    """Gives ([batch, width] float32 bottleneck features, [batch] int64 class indices).

    Args:
      folder: of one split.
      width: features per picture.
      classes: the class list.
      batch_size: pictures per batch; the last one may be smaller.
      seed: shuffles with it; None keeps the order.
    """
    parse = {
        features.BOTTLENECK: tf.io.FixedLenFeature([width], tf.float32),
        features.LABEL: tf.io.FixedLenFeature([], tf.string),
    }

    def read(examples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parsed = tf.io.parse_example(examples, parse)
        return parsed[features.BOTTLENECK], class_index(parsed[features.LABEL], classes)

    return _batches(folder, read, batch_size, seed)


def picture_batches(
    folder: str, pixels: Pixels, classes: list[str], batch_size: int, seed: int | None
) -> tf.data.Dataset:
    """Gives ([batch, height, width, 3] float32 scaled pixels, [batch] int64 class indices).

    The arguments are those of `bottleneck_batches`; `pixels` is the Transform graph.
    """

    def read(examples: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        parsed = tf.io.parse_example(examples, PARSE_PICTURE)
        return pixels(parsed[features.ENCODED]), class_index(parsed[features.LABEL], classes)

    return _batches(folder, read, batch_size, seed)


def _batches(
    folder: str, read: Callable[..., tuple], batch_size: int, seed: int | None
) -> tf.data.Dataset:
    records = read_records(folder)
    if seed is not None:
        records = records.shuffle(_SHUFFLED, seed=seed)
    batches = records.batch(batch_size).map(read, num_parallel_calls=tf.data.AUTOTUNE)
    return batches.prefetch(tf.data.AUTOTUNE)


def class_index(labels: tf.Tensor, classes: list[str]) -> tf.Tensor:
    """Gives the position of each class name in the class list: [batch] string -> [batch] int64."""
    return tf.argmax(tf.cast(labels[:, tf.newaxis] == tf.constant(classes), tf.int32), axis=1)


def count_classes(folder: str) -> dict[str, int]:
    """Gives the number of pictures of each class in a split."""
    parse = {features.LABEL: tf.io.FixedLenFeature([], tf.string)}
    labels = (
        read_records(folder).batch(256).map(lambda e: tf.io.parse_example(e, parse)[features.LABEL])
    )
    return collections.Counter(
        label.decode() for batch in labels.as_numpy_iterator() for label in batch
    )
