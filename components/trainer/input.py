"""What the two phases read, as `tf.data` pipelines that give the same order for the same seed."""

from __future__ import annotations

import collections

import tensorflow as tf

from components import features
from components.trainer.shuffled import shuffled_records
from components.transform_graph import PARSE_PICTURE, Pixels, read_records


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

    batches = _records(folder, seed).batch(batch_size)
    return batches.map(read, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def picture_batches(
    folder: str, pixels: Pixels, classes: list[str], batch_size: int, seed: int | None
) -> tf.data.Dataset:
    """Gives ([batch, height, width, 3] float32 scaled pixels, [batch] int64 class indices).

    The arguments are those of `bottleneck_batches`; `pixels` is the Transform graph.
    """

    @tf.autograph.experimental.do_not_convert
    def read(example: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # One by one: what is batched are pixels, and no encoded pictures wait in memory.
        parsed = tf.io.parse_example(example[tf.newaxis], PARSE_PICTURE)
        return pixels(parsed[features.ENCODED])[0], class_index(parsed[features.LABEL], classes)[0]

    pictures = _records(folder, seed).map(read, num_parallel_calls=tf.data.AUTOTUNE)
    return pictures.batch(batch_size).prefetch(tf.data.AUTOTUNE)


def _records(folder: str, seed: int | None) -> tf.data.Dataset:
    return read_records(folder) if seed is None else shuffled_records(folder, seed)


def class_index(labels: tf.Tensor, classes: list[str]) -> tf.Tensor:
    """Gives the position of each class name in the class list: [batch] string -> [batch] int64."""
    return tf.argmax(tf.cast(labels[:, tf.newaxis] == tf.constant(classes), tf.int32), axis=1)


def count_classes(folder: str) -> dict[str, int]:
    """Gives the number of pictures of each class in a split."""
    spec = {features.LABEL: tf.io.FixedLenFeature([], tf.string)}
    # One by one: a batch would hold the pictures, too.
    labels = read_records(folder).map(
        lambda example: tf.io.parse_single_example(example, spec)[features.LABEL]
    )
    return collections.Counter(label.decode() for label in labels.as_numpy_iterator())
