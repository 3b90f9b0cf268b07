from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.fit.losses import weighted, weights

LABELS = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)


def test_labels_without_doubt_have_the_weights_that_keras_gives_them() -> None:
    keras.utils.set_random_seed(0)
    class_weight, inputs = {0: 3.0, 1: 0.5}, np.array([[1.0], [2.0]], np.float32)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, activation="softmax")])
    model.compile(loss="categorical_crossentropy")
    by_keras = model.fit(inputs, LABELS, class_weight=class_weight, shuffle=False, verbose=0)
    keras.utils.set_random_seed(0)
    other = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, activation="softmax")])
    other.compile(loss="categorical_crossentropy")
    batches = tf.data.Dataset.from_tensors((inputs, LABELS))
    ours = other.fit(weighted(batches, class_weight), verbose=0)
    assert ours.history["loss"] == pytest.approx(by_keras.history["loss"])


def test_a_label_in_doubt_has_each_class_weight_by_its_share() -> None:
    labels = tf.constant([[0.4, 0.6], [0.8, 0.2], [2.0, 0.0], [0.0, 0.0]])  # the third counts twice
    found = weights(labels, {0: 10.0}).numpy()
    assert found.tolist() == pytest.approx([0.4 * 10 + 0.6, 0.8 * 10 + 0.2, 10.0, 0.0])


def test_without_class_weights_the_batches_stay_as_they_are() -> None:
    batches = tf.data.Dataset.from_tensors((LABELS, LABELS))
    assert weighted(batches, None) is batches
