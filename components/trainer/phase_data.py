"""The batches of a phase: from pictures, from cached features, or from cached activations."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf

from components.artifacts import features, tfrecords
from components.artifacts.tfrecords import read_records
from components.fit.training_data import Data, bottleneck_batches, kept_data
from components.step import progress
from components.trainer import activations
from components.trainer import input as trainer_input
from components.trainer.distribution import all_agree
from components.trainer.training_inputs import TrainingInputs


def pictures(inputs: TrainingInputs) -> Data:
    """Returns batches of scaled pixels."""
    to_batches = functools.partial(pixel_batches, inputs=inputs)
    return _read(inputs.train, inputs.eval, to_batches, inputs)


def pixel_batches(
    examples: tf.data.Dataset, inputs: TrainingInputs, soft: bool = False
) -> tf.data.Dataset:
    """Returns (scaled pixels, labels) of serialized Examples; `soft` as of `target`."""
    size = inputs.training.batch_size
    return trainer_input.picture_batches(examples, inputs.pixels, inputs.classes, size, soft)


def bottlenecks(inputs: TrainingInputs, head: keras.Model) -> Data:
    """Returns batches of the pooled features that BottleneckGen cached for a head."""
    to_batches = functools.partial(_feature_batches, inputs=inputs, head=head)
    train, validation = (_cached(inputs, split) for split in (features.TRAIN, features.EVAL))
    return _read(train, validation, to_batches, inputs)


def train_bottlenecks(inputs: TrainingInputs, head: keras.Model) -> tf.data.Dataset:
    """Returns batches of the training split's cached features, in the order of the records."""
    return _feature_batches(read_records(_cached(inputs, features.TRAIN)), inputs, head)


def _cached(inputs: TrainingInputs, split: str) -> str:
    return os.path.join(inputs.bottlenecks or "", f"Split-{split}")


def _feature_batches(
    examples: tf.data.Dataset, inputs: TrainingInputs, head: keras.Model, soft: bool = False
) -> tf.data.Dataset:
    size = inputs.training.batch_size
    return bottleneck_batches(examples, head.input_shape[1:], inputs.classes, size, soft)


def cached_activations(inputs: TrainingInputs, bottom: keras.Model, scratch: str) -> Data | None:
    """Runs the frozen layers once over both splits and returns batches of their outputs, on disk.

    Args:
      inputs: of the training.
      bottom: the frozen layers, scaled pixels -> the tensors at the boundary.
      scratch: folder of the files.

    Returns:
      None where caching saves nothing (one epoch, no frozen weights) or is impossible: with random
      changes other than flips, without the room, or beyond the range of half precision.
    """
    training, folder = inputs.training, Path(scratch, "activations")
    flips = activations.flips(training.augmentation_of("unfrozen"))
    if flips is None or training.unfrozen.epochs < 2 or not bottom.weights:
        return None
    splits = (
        (features.TRAIN, inputs.train, flips),
        (features.EVAL, inputs.eval, flips[:1]),
    )
    counts = {name: tfrecords.count(split) for name, split, _ in splits}
    rows = sum(counts[name] * len(variants) for name, _, variants in splits)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    needed = activations.size_of(bottom, rows)
    room = activations.room(training.cache_budget_mb, folder)
    if not all_agree(needed <= room):
        progress.note(
            f"runs the frozen layers anew in each epoch of phase unfrozen: their outputs take "
            f"{needed / 1e6:,.0f} MB, and {room / 1e6:,.0f} are allowed (training.cache_budget_mb, "
            "and half of the free disk of runtime.root)"
        )
        return None
    kept = []
    for name, split, variants in splits:
        batches = pixel_batches(read_records(split), inputs, soft=name == features.TRAIN)
        arguments = (bottom, batches, counts[name], folder, name, variants)
        kept.append(activations.keep(*arguments, inputs.precision))
    train, validation = kept
    if train is None or validation is None:
        return None
    return kept_data(train, validation, training.batch_size, training.seed, len(flips))


def _read(
    train: str, validation: str, to_batches: Callable[..., tf.data.Dataset], inputs: TrainingInputs
) -> Data:
    training = inputs.training
    soft = functools.partial(to_batches, soft=True)
    return trainer_input.read_data(
        train, validation, soft, training.batch_size, training.seed, to_batches
    )
