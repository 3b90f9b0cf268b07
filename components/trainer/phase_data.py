"""The batches of a phase: from pictures, from cached features, or from cached activations."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from components.artifacts import tfrecords
from components.artifacts.features import EVAL, TRAIN
from components.artifacts.tfrecords import read_records
from components.fit.training_data import Data, Kept, bottleneck_batches, kept_batches, kept_data
from components.model.network import Network
from components.model.twin import forward
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
    train, validation = (_cached(inputs, split) for split in (TRAIN, EVAL))
    return _read(train, validation, to_batches, inputs)


def train_bottlenecks(
    inputs: TrainingInputs, head: keras.Model, soft: bool = False
) -> tf.data.Dataset:
    """Returns batches of the training split's cached features, in the order of the records."""
    return _feature_batches(read_records(_cached(inputs, TRAIN)), inputs, head, soft)


def _cached(inputs: TrainingInputs, split: str) -> str:
    return os.path.join(inputs.bottlenecks or "", f"Split-{split}")


def _feature_batches(
    examples: tf.data.Dataset, inputs: TrainingInputs, head: keras.Model, soft: bool = False
) -> tf.data.Dataset:
    size = inputs.training.batch_size
    return bottleneck_batches(examples, head.input_shape[1:], inputs.classes, size, soft)


def flipped_bottlenecks(inputs: TrainingInputs, network: Network, scratch: str) -> Data | None:
    """Returns pooled features of the training pictures and of their flips, of which epochs draw.

    BottleneckGen cached the pictures' own; the extractor runs here over their flips alone.

    Args:
      inputs: of the training.
      network: whose extractor and head these are.
      scratch: folder of the files.

    Returns:
      None as of `cached_activations`.
    """
    _, *flips = inputs.training.augmentation_of("frozen").flips() or [[]]
    kept = _kept(inputs, network.extractor, {TRAIN: flips}, Path(scratch, "flips"), "frozen")
    if kept is None:
        return None
    own = kept_batches(train_bottlenecks(inputs, network.head, soft=True))
    train = Kept(
        [np.concatenate([own.arrays[0], kept[0].arrays[0]])],
        np.concatenate([own.labels, kept[0].labels]),
    )
    judged = kept_batches(
        _feature_batches(read_records(_cached(inputs, EVAL)), inputs, network.head)
    )
    training = inputs.training
    return kept_data(train, judged, training.batch_size, training.seed, 1 + len(flips))


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
    training = inputs.training
    flips = training.augmentation_of("unfrozen").flips()
    if flips is None or training.unfrozen.epochs < 2 or not bottom.weights:
        return None
    variants = {TRAIN: flips, EVAL: flips[:1]}
    kept = _kept(inputs, bottom, variants, Path(scratch, "activations"), "unfrozen")
    if kept is None:
        return None
    train, judged = kept
    return kept_data(train, judged, training.batch_size, training.seed, len(flips))


def _kept(
    inputs: TrainingInputs,
    bottom: keras.Model,
    variants: Mapping[str, Sequence[Sequence[int]]],
    folder: Path,
    phase: str,
) -> list[Kept] | None:
    """Runs layers over each split's variants; None without the room or the range."""
    training = inputs.training
    splits = {name: inputs.train if name == TRAIN else inputs.eval for name in variants}
    counts = {name: tfrecords.count(split) for name, split in splits.items()}
    rows = sum(counts[name] * len(flips) for name, flips in variants.items())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    needed = activations.size_of(bottom, rows)
    room = activations.room(training.cache_budget_mb, folder)
    if not all_agree(needed <= room):
        progress.note(
            f"runs the frozen layers anew in each epoch of phase {phase}: their outputs take "
            f"{needed / 1e6:,.0f} MB, and {room / 1e6:,.0f} are allowed (training.cache_budget_mb, "
            "and half of the free disk of runtime.root)"
        )
        return None
    kept = []
    run = forward(bottom, inputs.precision)
    for name, flips in variants.items():
        batches = pixel_batches(read_records(splits[name]), inputs, soft=name == TRAIN)
        found = activations.keep(bottom, run, batches, counts[name], folder, name, flips)
        if found is None:
            return None
        kept.append(found)
    return kept


def _read(
    train: str, validation: str, to_batches: Callable[..., tf.data.Dataset], inputs: TrainingInputs
) -> Data:
    training = inputs.training
    soft = functools.partial(to_batches, soft=True)
    return trainer_input.read_data(
        train, validation, soft, training.batch_size, training.seed, to_batches
    )
