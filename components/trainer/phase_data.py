"""The batches of a phase: from pictures, or from the features that BottleneckGen cached."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable

import keras
import tensorflow as tf

from components.artifacts.features import EVAL, TRAIN
from components.artifacts.tfrecords import read_records
from components.fit.training_data import Data, bottleneck_batches
from components.trainer import input as trainer_input
from components.trainer.training_inputs import TrainingInputs


def pictures(inputs: TrainingInputs) -> Data:
    """Returns batches of scaled pixels."""
    to_batches = functools.partial(pixel_batches, inputs=inputs)
    return _read(inputs.train, inputs.eval, to_batches, inputs)


def pixel_batches(
    examples: tf.data.Dataset,
    inputs: TrainingInputs,
    soft: bool = False,
    batch_size: int | None = None,
) -> tf.data.Dataset:
    """Returns (scaled pixels, labels) of serialized Examples.

    Args:
      examples: pictures.
      inputs: of the training.
      soft: as of `target`.
      batch_size: None: the training's.
    """
    size = batch_size or inputs.training.batch_size
    return trainer_input.picture_batches(examples, inputs.pixels, inputs.classes, size, soft)


def bottlenecks(inputs: TrainingInputs, head: keras.Model) -> Data:
    """Returns batches of the pooled features that BottleneckGen cached for a head."""
    to_batches = functools.partial(_feature_batches, inputs=inputs, head=head)
    train, validation = (_cached(inputs, split) for split in (TRAIN, EVAL))
    return _read(train, validation, to_batches, inputs)


def train_bottlenecks(
    inputs: TrainingInputs, head: keras.Model, soft: bool = False
) -> tf.data.Dataset:
    """Returns batches of the training split's cached features, in the order of the records."""
    return _feature_batches(read_records(_cached(inputs, TRAIN)), inputs, head, soft)


def eval_bottlenecks(inputs: TrainingInputs, head: keras.Model) -> tf.data.Dataset:
    """Returns batches of the cached features of `eval`, in the order of the records."""
    return _feature_batches(read_records(_cached(inputs, EVAL)), inputs, head)


def _cached(inputs: TrainingInputs, split: str) -> str:
    return os.path.join(inputs.bottlenecks or "", f"Split-{split}")


def _feature_batches(
    examples: tf.data.Dataset,
    inputs: TrainingInputs,
    head: keras.Model,
    soft: bool = False,
    batch_size: int | None = None,
) -> tf.data.Dataset:
    size = batch_size or inputs.training.batch_size
    return bottleneck_batches(examples, head.input_shape[1:], inputs.classes, size, soft)


def _read(
    train: str, validation: str, to_batches: Callable[..., tf.data.Dataset], inputs: TrainingInputs
) -> Data:
    training = inputs.training
    soft = functools.partial(to_batches, soft=True)
    return trainer_input.read_data(
        *(train, validation, soft, training.batch_size),
        seed=training.seed,
        window=training.shuffle_window,
        to_eval_batches=to_batches,
        counts=inputs.counts,
    )
