from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.artifacts import examples, features
from components.bottleneck_gen.frozen_base import _example
from components.fit.losses import WeightedCrossentropy
from components.fit.training_data import bottleneck_batches

CLASSES = ["a", "b", "c"]


def labels(soft: bool, *values: dict[str, float]) -> np.ndarray:
    """Of pictures of class b with these values, as BottleneckGen writes them."""
    written = [
        _example(np.zeros(2), b"b.png", b"b", each.get("probability", 1.0), each.get("weight", 1.0))
        for each in values
    ]
    records = tf.data.Dataset.from_tensor_slices(written)
    [(_, found)] = bottleneck_batches(records, (2,), CLASSES, len(values), soft)
    return found.numpy()


def test_the_rest_of_a_probability_is_spread_evenly_and_the_weight_is_the_labels_sum() -> None:
    found = labels(True, {}, {"probability": 0.7}, {"probability": 0.0}, {"weight": 3.0})
    np.testing.assert_allclose(
        found, [[0, 1, 0], [0.15, 0.7, 0.15], [0.5, 0, 0.5], [0, 3, 0]], atol=1e-6
    )


def test_what_is_not_for_training_takes_the_label_as_it_is() -> None:
    found = labels(False, {"probability": 0.2, "weight": 3.0})
    np.testing.assert_array_equal(found, [[0, 1, 0]])


def test_values_of_1_leave_the_example_as_it_was() -> None:
    values = {
        features.BOTTLENECK: [0.0, 0.0],
        features.LABEL: b"b",
        features.FILENAME: b"b.png",
    }
    plain = examples.serialized(values)
    assert _example(np.zeros(2), b"b.png", b"b", 1.0, 1.0) == plain


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_label_twice_as_heavy_costs_twice_as_much(smoothing: float) -> None:
    label, scores = tf.constant([[0.0, 0.8, 0.2]]), tf.constant([[0.2, 0.5, 0.3]])
    loss = WeightedCrossentropy(smoothing)
    expected = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)(label, scores)
    assert float(loss(label, scores)) == pytest.approx(float(expected), rel=1e-6)
    assert float(loss(2 * label, scores)) == pytest.approx(2 * float(expected), rel=1e-6)
