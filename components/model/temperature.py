"""Applies a temperature to a network's scores: softmax(logits / temperature)."""

from __future__ import annotations

import keras
import tensorflow as tf

from components.artifacts.calibration import TINY


def calibrated(scores: tf.Tensor, temperature: float) -> tf.Tensor:
    """Returns scores [batch, classes] at a temperature, in TensorFlow; 1 changes nothing.

    Log scores are logits but for a constant of each picture, also where scores are means.
    """
    if temperature == 1:
        return scores
    return tf.nn.softmax(tf.math.log(tf.maximum(scores, TINY)) / temperature)


def divide_logits(classifier: keras.Model, temperature: float) -> None:
    """Divides the logits of a classifier by a temperature, in the weights of its last layer.

    For files whose softmax is of 8 bits, of which logarithms would not do.
    """
    last = classifier.get_layer("head").get_layer("scores")
    last.set_weights([weights / temperature for weights in last.get_weights()])
