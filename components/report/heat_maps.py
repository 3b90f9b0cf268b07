"""Where a convolutional network looks: Grad-CAM (Selvaraju et al. 2017, arXiv 1610.02391)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.model.transform_graph import Pixels
from components.step import progress

_BATCH = 2  # pictures; without a graph, Keras holds the maps of all layers at once
_SMALLEST_SIDE = 4  # places; fewer colour the picture evenly and show nothing


class GradCam:
    """The classifier split at the last feature map of its extractor.

    Where the extractor's base has several outputs, the highest layer's is the one, which is first.
    """

    def __init__(self, classifier: keras.Model, pixels: Pixels):
        """Splits the model.

        Args:
          classifier: [batch, height, width, 3] -> [batch, classes] probabilities, made of the
            models `extractor`, a chain of layers, and `head`.
          pixels: the Transform graph, which gives its input.
        """
        extractor, self._head = classifier.get_layer("extractor"), classifier.get_layer("head")
        chain = extractor.layers[1:]  # the first is its input
        above = max(index for index, layer in enumerate(chain) if _is_map(layer.output)) + 1
        self._to_map, self._from_map = chain[:above], chain[above:]
        self._pixels = pixels
        self._places = tuple(_first(chain[above - 1].output).shape[1:3])

    @property
    def too_coarse(self) -> str:
        """Why the last feature map can't show where the model looked; "" where it can."""
        rows, columns = self._places
        if min(rows, columns) >= _SMALLEST_SIDE:
            return ""
        return (
            f"The last feature map has {rows} x {columns} places, too few to show where the model "
            f"looked: {_SMALLEST_SIDE} x {_SMALLEST_SIDE} are needed. A larger image.size makes a "
            "larger map."
        )

    def heat(self, encoded: Sequence[bytes], classes: Sequence[int]) -> list[np.ndarray]:
        """Returns each place's weight for the class: [rows, columns] float32 in [0, 1] per picture.

        Args:
          encoded: the pictures.
          classes: of each, the class in question.
        """
        found: list[np.ndarray] = []
        for start in range(0, len(encoded), _BATCH):
            part = slice(start, start + _BATCH)
            found += list(self._heat(tf.constant(encoded[part]), tf.constant(classes[part])))
            progress.report("heat maps", len(found), len(encoded))
        return found

    def _heat(self, encoded: tf.Tensor, classes: tf.Tensor) -> np.ndarray:
        maps = _apply(self._to_map, self._pixels(encoded))
        features = _first(maps)
        with tf.GradientTape() as tape:
            tape.watch(features)
            scores = self._head(_apply(self._from_map, maps), training=False)
            # The logarithm's gradient is the same but for a factor, and does not vanish where the
            # softmax is sure.
            asked = tf.math.log(tf.gather(scores, classes, batch_dims=1) + 1e-12)
        weights = tf.reduce_mean(tape.gradient(asked, features), axis=(1, 2), keepdims=True)
        heat = tf.nn.relu(tf.reduce_sum(weights * features, axis=-1))
        hottest = tf.reduce_max(heat, axis=(1, 2), keepdims=True)
        return np.asarray(tf.cast(tf.math.divide_no_nan(heat, hottest), tf.float32))


def _apply(layers: Sequence[keras.Layer], tensor: tf.Tensor) -> tf.Tensor:
    for layer in layers:
        tensor = layer(tensor, training=False)
    return tensor


def _first(outputs: Any) -> Any:
    return outputs[0] if isinstance(outputs, list | tuple) else outputs


def _is_map(output: Any) -> bool:
    """Checks whether it has places for the parts of a picture: [batch, rows, columns, channels]."""
    return len(_first(output).shape) == 4
