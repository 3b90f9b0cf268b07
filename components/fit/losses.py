"""The loss of both phases."""

from __future__ import annotations

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
