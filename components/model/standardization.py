"""Standardises features: mean and variance over `train`, held by the first layer of the head."""

from __future__ import annotations

from collections.abc import Iterable

import keras
import numpy as np

STANDARDIZE = "standardize"
"""The layer's name."""
EPSILON = 1e-12
"""Added to the variance."""
_LEAST = 1e-4  # of the features' mean variance: what hardly varies is not blown up


def standardizer() -> keras.layers.Layer:
    """Returns the layer: [..., features] -> the same, less their mean, over their deviation.

    BatchNormalization that is never trainable, and so runs in inference mode, without scale and
    offset: its statistics are weights, which are saved, restored and folded as all others are.
    Those of Keras' Normalization are constants of each graph.
    """
    layer = keras.layers.BatchNormalization(
        center=False, scale=False, epsilon=EPSILON, name=STANDARDIZE, dtype="float32"
    )
    layer.trainable = False
    return layer


def set_statistics(head: keras.Model, batches: Iterable[np.ndarray]) -> None:
    """Sets mean and variance of the head's standardisation to those of features.

    Args:
      head: made with `model.head.standardize`.
      batches: [batch, features] of the training split.
    """
    count, total, squares = 0, np.float64(0), np.float64(0)
    for batch in batches:
        rows = np.asarray(batch, np.float64)
        count += len(rows)
        total = total + rows.sum(axis=0)
        squares = squares + np.square(rows).sum(axis=0)
    mean = total / count
    variance = np.maximum(squares / count - np.square(mean), 0.0)
    floor = _LEAST * variance.mean() or 1.0
    head.get_layer(STANDARDIZE).set_weights([mean, np.maximum(variance, floor)])
