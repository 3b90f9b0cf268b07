"""A cache with room for a part of the pictures: the others pass the frozen layers in each epoch.

The part is the first pictures of a split, as many as there is room for. Epochs take the pictures in
the same order as without a cache. A batch holds the outputs of the frozen layers for those that are
cached, and the pixels of the others.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf
from tfx.dsl.io import fileio

from components.artifacts import features
from components.artifacts.examples import TARGET, parse
from components.artifacts.features import EVAL, TRAIN
from components.files import read_bytes, write_bytes
from components.fit.training_data import PARALLEL, Data, Kept, target
from components.trainer.learner import Inputs
from components.trainer.shuffled import ROW, ShuffledRecords
from components.trainer.training_inputs import TrainingInputs

_FILE, _INDEX = ROW.index("file"), ROW.index("index")
_NEXT_BATCH = 2**32  # more than any number of epochs
_DECISION = "cached_pictures.json"


def fitting(counts: Mapping[str, int], variants: int, size: int, room: int) -> dict[str, int]:
    """Returns how many pictures of each split are cached: of `eval` first, then of `train`.

    Args:
      counts: pictures of each split.
      variants: of each training picture.
      size: of one picture's outputs, in bytes.
      room: bytes that all may take.
    """
    judged = min(counts[EVAL], room // size)
    train = min(counts[TRAIN], (room - judged * size) // (size * variants))
    return {TRAIN: train, EVAL: judged}


def decided(fits: dict[str, int], work: str) -> dict[str, int]:
    """Returns how many pictures an attempt caches: no more than the one before that was killed.

    What is cached is rounded to half precision, so that a resumed training is only the same with
    the same part. With less room than before it is a smaller one.

    Args:
      fits: pictures of each split for which there is room now.
      work: this training's own folder.
    """
    path = os.path.join(work, _DECISION)
    if fileio.exists(path):
        before = json.loads(read_bytes(path))
        fits = {split: min(count, before[split]) for split, count in fits.items()}
    write_bytes(path, json.dumps(fits).encode())  # whole or not at all: the disk may be full
    return fits


def data(inputs: TrainingInputs, parts: Mapping[str, Kept], flips: Sequence[Sequence[int]]) -> Data:
    """Returns batches of ((outputs of the frozen layers..., pixels of the others), labels).

    Within a batch the cached pictures come first, and so do their labels.

    Args:
      inputs: of the training.
      parts: what is cached of each split, the first variant of each picture before the next one.
      flips: the axes to flip for each variant of a training picture, of which each epoch draws.
    """
    training = inputs.training
    train, judged = (
        ShuffledRecords(folder, training.seed, training.shuffle_window, inputs.count(split))
        for split, folder in ((TRAIN, inputs.train), (EVAL, inputs.eval))
    )
    read_train = _reader(inputs, train, parts[TRAIN], flips, soft=True)
    read_judged = _reader(inputs, judged, parts[EVAL], flips[:1], soft=False)

    @tf.autograph.experimental.do_not_convert
    def epoch_batches(epoch: tf.Tensor) -> tf.data.Dataset:
        batches = train.rows(epoch).batch(training.batch_size).enumerate()
        return batches.map(
            lambda number, rows: read_train(
                rows, _drawn(rows, training.seed, epoch + number * _NEXT_BATCH, len(flips))
            ),
            num_parallel_calls=PARALLEL,
        )

    validation = judged.in_order().batch(training.batch_size)
    return Data(
        lambda first, last: (
            tf.data.Dataset.range(first, last).flat_map(epoch_batches).prefetch(tf.data.AUTOTUNE)
        ),
        math.ceil(len(train) / training.batch_size),
        validation.map(
            lambda rows: read_judged(rows, tf.zeros_like(rows[:, 0])), num_parallel_calls=PARALLEL
        )
        .apply(
            tf.data.experimental.assert_cardinality(math.ceil(len(judged) / training.batch_size))
        )
        .prefetch(tf.data.AUTOTUNE),
        held=(parts[TRAIN], parts[EVAL]),
    )


def _drawn(rows: tf.Tensor, seed: int, number: tf.Tensor, variants: int) -> tf.Tensor:
    """Returns the number of a variant for each row."""
    key = tf.stack([tf.cast(seed, tf.int64), number])
    return tf.random.stateless_uniform([tf.shape(rows)[0]], key, 0, variants, tf.int64)


def _reader(
    inputs: TrainingInputs,
    records: ShuffledRecords,
    kept: Kept,
    flips: Sequence[Sequence[int]],
    soft: bool,
) -> Callable[[tf.Tensor, tf.Tensor], Any]:
    """Returns a function that reads [batch, ROW] rows, [batch] variants -> a batch of `data`."""
    count = len(kept.labels) // len(flips)
    firsts = records.firsts(count)

    @tf.autograph.experimental.do_not_convert
    def read(rows: tf.Tensor, drawn: tf.Tensor) -> Any:
        numbers = tf.gather(firsts, rows[:, _FILE]) + rows[:, _INDEX]
        is_kept = numbers < count
        others = tf.logical_not(is_kept)
        parsed = parse(records.read(rows[others]), features.ENCODED, *TARGET)
        pixels = _flipped(inputs.pixels(parsed[features.ENCODED]), drawn[others], flips)
        labels = target(parsed, inputs.classes, soft)
        outputs, their_labels = kept.read((numbers + count * drawn)[is_kept])
        return (*outputs, pixels), tf.concat([their_labels, labels], 0)

    return read


def _flipped(pixels: tf.Tensor, drawn: tf.Tensor, flips: Sequence[Sequence[int]]) -> tf.Tensor:
    for number, axes in enumerate(flips):
        if axes:
            chosen = (drawn == number)[:, tf.newaxis, tf.newaxis, tf.newaxis]
            pixels = tf.where(chosen, tf.reverse(pixels, axes), pixels)
    return pixels


@dataclasses.dataclass(frozen=True)
class BesideKept:
    """The frozen layers for batches of `data`: they run over the pixels alone."""

    bottom: keras.Model

    def __call__(self, inputs: tuple[tf.Tensor, ...], training: bool = False) -> Inputs:
        """Returns the outputs of all pictures of a batch."""
        *kept, pixels = inputs
        outputs = self.bottom(_not_empty(pixels), training=training)
        listed = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
        joined = [
            tf.concat([there, tf.cast(computed[: tf.shape(pixels)[0]], there.dtype)], 0)
            for there, computed in zip(kept, listed, strict=True)
        ]
        return tuple(joined) if len(joined) > 1 else joined[0]


def _not_empty(pixels: tf.Tensor) -> tf.Tensor:
    """Returns a black picture in place of none: Keras convolves no empty batch."""
    more = tf.cast(tf.equal(tf.shape(pixels)[0], 0), tf.int32)
    padded = tf.pad(pixels, [[0, more], [0, 0], [0, 0], [0, 0]])
    return tf.ensure_shape(padded, [None, *pixels.shape[1:]])
