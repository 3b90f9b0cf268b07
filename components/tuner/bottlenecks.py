"""Bottleneck features as arrays that every trial reads again."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from components.artifacts import features, tfrecords
from components.artifacts.tfrecords import read_records
from components.fit import class_weights
from components.fit.training_data import Data, Kept, bottleneck_batches, kept_data, kept_in_file
from components.settings.training import Training

_AT_ONCE = 256  # records


@dataclasses.dataclass(frozen=True)
class Bottlenecks:
    """The features that phase `frozen` reads, in the orders in which the Trainer reads them."""

    train: Kept
    validation: Kept
    data: Data
    source: str
    """Folder of the training split's records."""
    names: Sequence[str]
    """The class list."""

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
        return class_weights.of_split(self.source, self.names)


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
    sources = {name: os.path.join(uri, f"Split-{name}") for name in (features.TRAIN, features.EVAL)}
    train, validation = (
        _read(source, shape, classes, folder / f"{name}.npy", soft=name == features.TRAIN)
        for name, source in sources.items()
    )
    data = kept_data(train, validation, training.batch_size, training.seed)
    return Bottlenecks(train, validation, data, sources[features.TRAIN], classes)


def _read(
    source: str, shape: Sequence[int], classes: Sequence[str], target: Path, soft: bool
) -> Kept:
    batches = bottleneck_batches(read_records(source), shape, classes, _AT_ONCE, soft)
    pictures = tfrecords.count(source)
    return kept_in_file(target, (pictures, *shape), batches.as_numpy_iterator())
