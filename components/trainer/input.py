"""Reads splits as `tf.data` pipelines, in an order that follows from the seed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

import tensorflow as tf

from components.artifacts import features, tfrecords
from components.artifacts.examples import TARGET, parse
from components.artifacts.tfrecords import read_records
from components.fit.training_data import PARALLEL, Data, Dealt, target
from components.fit.worker_share import Share
from components.model.transform_graph import Pixels
from components.trainer.shuffled import ShuffledRecords


class ToBatches(Protocol):
    """Turns serialized Examples into batches of (inputs, labels one-hot)."""

    def __call__(self, examples: tf.data.Dataset, /, *, batch_size: int) -> tf.data.Dataset:
        """Returns batches of so many, the last one of what is left."""


def read_data(
    train: str,
    validation: str,
    to_batches: ToBatches,
    batch_size: int,
    seed: int,
    window: int,
    to_eval_batches: ToBatches | None = None,
    counts: Mapping[str, int] = MappingProxyType({}),
) -> Data:
    """Returns the data of a phase, read from two splits.

    Args:
      train: folder of the training split, shuffled by `seed` in every epoch.
      validation: folder of the `eval` split.
      to_batches: reads the records of either.
      batch_size: pictures per batch.
      seed: of the orders.
      window: as of `ShuffledRecords`.
      to_eval_batches: reads the records of `validation` in its place.
      counts: records of `train` and `eval`, where known.
    """
    shuffled = ShuffledRecords(train, seed, window, counts.get(features.TRAIN))
    judged = counts.get(features.EVAL)
    if judged is None:
        judged = tfrecords.count(validation)
    to_eval_batches = to_eval_batches or to_batches

    @tf.autograph.experimental.do_not_convert
    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        return to_batches(shuffled.order(epoch), batch_size=batch_size)

    def dealt(index: int, workers: int) -> Dealt:
        share = Share(index, workers, batch_size)

        @tf.autograph.experimental.do_not_convert
        def parts(epoch: tf.Tensor) -> tf.data.Dataset:
            own = shuffled.records(share.of(shuffled.rows(epoch)))
            return share.counted(to_batches(own, batch_size=share.size), len(shuffled))

        own = to_eval_batches(share.of(read_records(validation)), batch_size=share.size)
        return Dealt(
            lambda first, last: tf.data.Dataset.range(first, last).flat_map(parts),
            share.counted(own, judged),
        )

    return Data(
        # Within `flat_map`, so that no batch reaches from one epoch into the next.
        lambda first, last: (
            tf.data.Dataset.range(first, last).flat_map(epoch_batches).prefetch(tf.data.AUTOTUNE)
        ),
        math.ceil(len(shuffled) / batch_size),
        # Told its length, or Keras warns that it ended.
        to_eval_batches(read_records(validation), batch_size=batch_size)
        .apply(tf.data.experimental.assert_cardinality(math.ceil(judged / batch_size)))
        .prefetch(tf.data.AUTOTUNE),
        dealt,
    )


def picture_batches(
    examples: tf.data.Dataset,
    pixels: Pixels,
    classes: list[str],
    batch_size: int,
    soft: bool = False,
) -> tf.data.Dataset:
    """Returns ([batch, height, width, 3] float32 scaled pixels, [batch, classes] one-hot labels).

    The arguments are those of `bottleneck_batches`; `pixels` is the Transform graph.
    """

    @tf.autograph.experimental.do_not_convert
    def read(example: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # One by one: what is batched are pixels, and no encoded pictures wait in memory.
        parsed = parse(example[tf.newaxis], features.ENCODED, *TARGET)
        return pixels(parsed[features.ENCODED])[0], target(parsed, classes, soft)[0]

    return examples.map(read, num_parallel_calls=PARALLEL).batch(batch_size)
