"""Runs the Transform graph on encoded pictures, which returns the network's pixels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from components.artifacts import features
from components.artifacts.examples import Example
from components.artifacts.tfrecords import read_records


class Pixels:
    """The Transform graph as a function of encoded pictures.

    Not a `tf.Module`: a model that calls it is exported with the graph within its own, which
    holds neither variables nor tables; tracked, tf_keras' layer would be exported a second time by
    itself, through AutoGraph, which took two thirds of an export.
    """

    def __init__(self, transform_graph: str):
        """Loads the graph.

        Args:
          transform_graph: the TransformGraph artifact's path.
        """
        output = tft.TFTransformOutput(transform_graph)
        self._layer = output.transform_features_layer()
        self._shape = output.transformed_feature_spec()[features.PIXELS].shape

    @property
    def size(self) -> list[int]:
        """Height and width in pixels."""
        return list(self._shape[:2])

    def __call__(self, encoded: tf.Tensor) -> tf.Tensor:
        """Returns [batch, height, width, 3] float32 for [batch] encoded pictures (strings)."""
        outputs: dict[str, Any] = self._layer({features.ENCODED: encoded})
        return tf.ensure_shape(outputs[features.PIXELS], [None, *self._shape])


def first_pictures(folder: str, count: int) -> list[bytes]:
    """Returns the first `count` encoded pictures of a split."""
    records = read_records(folder).take(count).as_numpy_iterator()
    return [Example(record).encoded(features.ENCODED) for record in records]
