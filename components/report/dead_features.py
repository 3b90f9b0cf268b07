"""Counts the cached features that are zero in every picture: the network can't tell by them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from tfx.types import Artifact

from components.artifacts import examples, features, tfrecords
from components.artifacts.types import path_in

_MOST = 1000  # pictures of `train` that are read
_ENOUGH = 100  # pictures; in fewer, a feature may be zero by chance


class DeadFeatures(NamedTuple):
    """The number of features that are zero in each of the pictures that were read, and of all."""

    dead: int
    features: int
    pictures: int


def count(bottlenecks: Artifact) -> DeadFeatures | None:
    """Returns the features that are zero in the first pictures of `train`; None of too few."""
    folder = path_in(bottlenecks, f"Split-{features.TRAIN}")
    pictures, alive = 0, np.zeros(0, bool)
    for record in tfrecords.read_records(folder).take(_MOST).as_numpy_iterator():
        values = np.array(examples.Example(record).floats(features.BOTTLENECK), np.float32)
        alive = (values != 0) if not pictures else alive | (values != 0)
        pictures += 1
    if pictures < _ENOUGH:
        return None
    return DeadFeatures(int((~alive).sum()), alive.size, pictures)
