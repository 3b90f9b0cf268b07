from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.artifacts.calibration import (
    calibration_error,
    negative_log_likelihood,
    with_temperature,
)
from components.model.network import build_network
from components.model.temperature import calibrated, divide_logits
from components.settings.model import Head
from components.trainer.temperature import fit_temperature


def drawn(pictures: int, sharpened: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from probabilities, and the scores of a head that multiplies its logits."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (pictures, 4))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([random.choice(4, p=row) for row in true])
    scores = with_temperature(true, 1 / sharpened).astype(np.float32)
    return scores, labels


def error(scores: np.ndarray, labels: np.ndarray) -> float:
    return calibration_error(scores.max(axis=1), scores.argmax(axis=1) == labels)


@pytest.mark.parametrize("sharpened", [3.0, 8.0])
def test_the_calibration_error_of_an_over_confident_head_is_halved_at_least(
    sharpened: float,
) -> None:
    scores, labels = drawn(2000, sharpened)
    temperature = fit_temperature(scores[:1000], labels[:1000])
    assert temperature == pytest.approx(sharpened, rel=0.15)
    held_out = with_temperature(scores[1000:], temperature)
    assert error(held_out, labels[1000:]) < error(scores[1000:], labels[1000:]) / 2


def test_an_under_confident_head_gets_surer() -> None:
    scores, labels = drawn(2000, 0.3)
    assert fit_temperature(scores, labels) == pytest.approx(0.3, rel=0.15)


def test_the_likelihood_never_falls() -> None:
    for seed in range(20):
        scores, labels = drawn(12, 1.0, seed)
        found = with_temperature(scores, fit_temperature(scores, labels))
        before = negative_log_likelihood(with_temperature(scores, 1.0), labels)
        assert negative_log_likelihood(found, labels) <= before


def test_a_few_pictures_that_are_all_right_do_not_make_every_score_one() -> None:
    scores = np.full((10, 2), [0.8, 0.2])
    assert with_temperature(scores, fit_temperature(scores, np.zeros(10, int))).max() < 0.99


def test_scores_that_are_no_numbers_and_an_empty_split_change_nothing() -> None:
    assert fit_temperature(np.full((3, 2), np.nan), np.zeros(3, int)) == 1
    assert fit_temperature(np.zeros((0, 2)), np.zeros(0, int)) == 1


def test_the_graph_scales_as_numpy_does_and_keeps_the_order() -> None:
    logits = np.random.default_rng(0).normal(0, 20, (50, 5)).astype(np.float32)
    scores = tf.nn.softmax(tf.constant(logits))
    found = calibrated(scores, 2.5).numpy()
    np.testing.assert_allclose(found, with_temperature(scores.numpy(), 2.5), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(found, tf.nn.softmax(logits / 2.5), rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(np.argsort(found, axis=1), np.argsort(logits, axis=1))
    assert calibrated(scores, 1.0) is scores


def test_divided_logits_are_the_same_temperature_in_the_weights() -> None:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    base = keras.Model(inputs, keras.layers.Conv2D(6, 3)(inputs))
    network = build_network(base, Head(), 4)
    pictures = np.random.default_rng(0).normal(0, 5, (5, 8, 8, 3)).astype(np.float32)
    expected = calibrated(network.classifier(pictures), 0.4)
    divide_logits(network.classifier, 0.4)
    np.testing.assert_allclose(network.classifier(pictures), expected, rtol=1e-4, atol=1e-6)
