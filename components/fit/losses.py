"""The loss of both phases."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf


class WeightedCrossentropy(keras.losses.CategoricalCrossentropy):
    """Cross-entropy of labels whose sum is the picture's weight.

    Keras' own spreads the same part of each label over all classes; here it is that part of the
    label's sum, which is the same for labels of weight 1.
    """

    def __init__(self, label_smoothing: float = 0.0):
        """Makes the loss.

        Args:
          label_smoothing: part of each label that is spread over all classes.
        """
        super().__init__()
        self._smoothing = label_smoothing

    def call(self, y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
        if self._smoothing:
            spread = tf.reduce_mean(y_true, axis=-1, keepdims=True)
            y_true = (1.0 - self._smoothing) * y_true + self._smoothing * spread
        return super().call(y_true, y_pred)


def weighted(batches: tf.data.Dataset, class_weight: Mapping[int, float] | None) -> tf.data.Dataset:
    """Returns batches (inputs, labels, weights [batch] float32); those given without class weights.

    Keras' own `class_weight` takes the weight of the most probable class alone.

    Args:
      batches: (inputs, labels [batch, classes]).
      class_weight: weight of each class index in the loss; 1 for one that is missing.
    """
    if class_weight is None:
        return batches
    return batches.map(lambda inputs, labels: (inputs, labels, weights(labels, class_weight)))


def weights(labels: tf.Tensor, class_weight: Mapping[int, float]) -> tf.Tensor:
    """Returns [batch] float32: the classes' weights, each by its share in the label."""
    by_class = tf.constant([class_weight.get(number, 1.0) for number in range(labels.shape[1])])
    labels = tf.cast(labels, tf.float32)
    return tf.math.divide_no_nan(tf.linalg.matvec(labels, by_class), tf.reduce_sum(labels, axis=1))
