"""Bottleneck features as arrays that every trial reads again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from components.artifacts import features, tfrecords
from components.artifacts.tfrecords import read_records
from components.fit.class_weights import balanced
from components.fit.training_data import Data, Kept, bottleneck_batches, kept_data
from components.settings.training import Training

_AT_ONCE = 256  # records


@dataclasses.dataclass(frozen=True)
class Bottlenecks:
    """The features that phase `frozen` reads, in the orders in which the Trainer reads them."""

    train: Kept
    validation: Kept
    data: Data

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one picture's features."""
        return self.train.arrays[0].shape[1:]

    @property
    def classes(self) -> int:
        """Their number."""
        return self.train.labels.shape[1]

    def train_features(self) -> Iterator[np.ndarray]:
        """Yields the training split's features, some rows at a time."""
        [array] = self.train.arrays
        for start in range(0, len(array), _AT_ONCE):
            yield array[start : start + _AT_ONCE]

    def class_weights(self) -> dict[int, float]:
        """Returns the weight of each class index in the loss, with which rare classes count."""
        counts = np.bincount(self.train.labels.argmax(axis=1), minlength=self.classes)
        weights = balanced({str(index): int(count) for index, count in enumerate(counts)})
        return {int(index): weight for index, weight in weights.items()}


def read_bottlenecks(
    uri: str, shape: Sequence[int], classes: Sequence[str], training: Training, folder: Path
) -> Bottlenecks:
    """Reads what BottleneckGen wrote.

    Args:
      uri: folder of the Bottlenecks artifact.
      shape: of one picture's features.
      classes: the class list.
      training: of it the pictures per batch, and the seed of the orders.
      folder: where the features go; must outlive what is returned.
    """
    train, validation = (
        _read(
            os.path.join(uri, f"Split-{name}"),
            shape,
            classes,
            folder / f"{name}.npy",
            soft=name == features.TRAIN,
        )
        for name in (features.TRAIN, features.EVAL)
    )
    data = kept_data(train, validation, training.batch_size, training.seed)
    return Bottlenecks(train, validation, data)


def _read(
    source: str, shape: Sequence[int], classes: Sequence[str], target: Path, soft: bool
) -> Kept:
    pictures = tfrecords.count(source)
    array = np.lib.format.open_memmap(target, "w+", np.float32, (pictures, *shape))
    labels: list[np.ndarray] = []
    done = 0
    batches = bottleneck_batches(read_records(source), shape, classes, _AT_ONCE, soft)
    for some, some_labels in batches:
        array[done : done + len(some)] = some
        labels.append(some_labels.numpy())
        done += len(some)
    return Kept([array], np.concatenate(labels))
