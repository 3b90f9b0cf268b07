"""The batches of a phase: from pictures, from cached features, or from cached activations."""

from __future__ import annotations

import functools
import os
import shutil
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


def pixel_batches(examples: tf.data.Dataset, inputs: TrainingInputs) -> tf.data.Dataset:
    """Returns (scaled pixels, one-hot labels) of serialized Examples."""
    size = inputs.training.batch_size
    return trainer_input.picture_batches(examples, inputs.pixels, inputs.classes, size)


def bottlenecks(inputs: TrainingInputs, head: keras.Model) -> Data:
    """Returns batches of the pooled features that BottleneckGen cached for a head."""
    folder = inputs.bottlenecks or ""
    to_batches = functools.partial(
        bottleneck_batches,
        shape=head.input_shape[1:],
        classes=inputs.classes,
        batch_size=inputs.training.batch_size,
    )
    train, validation = (
        os.path.join(folder, f"Split-{split}") for split in (features.TRAIN, features.EVAL)
    )
    return _read(train, validation, to_batches, inputs)


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
    flips = activations.flips(training.augmentation)
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
    needed, room = (
        activations.size_of(bottom, rows),
        activations.room(training.cache_budget_mb, folder),
    )
    if not all_agree(needed <= room):
        progress.note(
            f"runs the frozen layers anew in each epoch of phase unfrozen: their outputs take "
            f"{needed / 1e6:,.0f} MB, and {room / 1e6:,.0f} are allowed (training.cache_budget_mb, "
            "and half of the free disk of runtime.root)"
        )
        return None
    kept = []
    for name, split, variants in splits:
        batches = pixel_batches(read_records(split), inputs)
        kept.append(activations.keep(bottom, batches, counts[name], folder, name, variants))
    train, validation = kept
    if train is None or validation is None:
        return None
    return kept_data(train, validation, training.batch_size, training.seed, len(flips))


def _read(
    train: str, validation: str, to_batches: trainer_input.ToBatches, inputs: TrainingInputs
) -> Data:
    training = inputs.training
    return trainer_input.read_data(
        train, validation, to_batches, training.batch_size, training.seed
    )
