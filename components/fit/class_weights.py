"""Class weights of the loss, with which rare classes count as much as frequent ones."""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence

from components.artifacts import features
from components.artifacts.examples import parse
from components.artifacts.tfrecords import read_records


def balanced(counts: Mapping[str, int]) -> dict[str, float]:
    """Returns pictures over (classes x pictures of the class), as scikit-learn's `balanced`.

    Args:
      counts: training pictures by class; a class without any has no weight.
    """
    present = {name: count for name, count in counts.items() if count}
    mean = sum(present.values()) / max(len(present), 1)
    return {name: mean / count for name, count in present.items()}


def of_split(folder: str, classes: Sequence[str]) -> dict[int, float]:
    """Returns the weight of each class index, by the labels of the records of a training split.

    Args:
      folder: of the split's pictures, or of their cached features.
      classes: the class list.
    """
    weights = balanced(count_classes(folder))
    return {classes.index(name): weight for name, weight in weights.items()}


def count_classes(folder: str) -> dict[str, int]:
    """Returns the number of records of each class in a split, by their labels as they are."""
    # One by one: a batch would hold the pictures, too.
    labels = read_records(folder).map(
        lambda example: parse(example, features.LABEL)[features.LABEL]
    )
    return collections.Counter(label.decode() for label in labels.as_numpy_iterator())
