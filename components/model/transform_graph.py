"""Runs the Transform graph on encoded pictures, which returns the network's pixels."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from components.artifacts import features


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


PARSE_PICTURE = {
    features.ENCODED: tf.io.FixedLenFeature([], tf.string),
    features.LABEL: tf.io.FixedLenFeature([], tf.string),
}
"""How a training picture is read from its Example."""


def read_records(folder: str) -> tf.data.Dataset:
    """Returns the serialized Examples of one split, in the order in which they were written."""
    files = sorted(tf.io.gfile.glob(os.path.join(folder, "*")))
    return tf.data.TFRecordDataset(files, num_parallel_reads=1)


def first_pictures(folder: str, count: int) -> list[bytes]:
    """Returns the first `count` encoded pictures of a split."""
    records = read_records(folder).take(count).as_numpy_iterator()
    parsed = [tf.io.parse_single_example(record, PARSE_PICTURE) for record in records]
    return [picture[features.ENCODED].numpy() for picture in parsed]
