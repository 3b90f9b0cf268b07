from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from components.errors import ConfigError
from components.model.cut_base import cut_base
from components.model.network import build_head, build_network, unfreeze
from components.model.standardization import STANDARDIZE, set_statistics
from components.pretrained.base import build_base
from components.settings.model import Head, Model
from components.trainer.boundary import split_at
from components.trainer.learner import make_learner
from tests.explains import refused

LAYERS = ["conv_pw_3_relu", "conv_pw_6_relu", "conv_pw_5_relu"]


@pytest.fixture(scope="module")
def base() -> keras.Model:
    keras.utils.set_random_seed(0)
    return build_base("mobilenet", [32, 32], None)


def pictures(count: int = 4) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (count, 32, 32, 3)).astype(np.float32)


def test_the_base_ends_at_the_highest_layer_and_each_output_is_pooled(base: keras.Model) -> None:
    network = build_network(base, Head(), 3, LAYERS)
    names = [layer.name for layer in network.base.layers]
    assert names[-1] == "conv_pw_6_relu" and "conv_dw_7" not in names
    highest_first = ["conv_pw_6_relu", "conv_pw_5_relu", "conv_pw_3_relu"]
    maps = keras.Model(base.input, [base.get_layer(name).output for name in highest_first])
    pooled = [np.asarray(each).mean(axis=(1, 2)) for each in maps(pictures())]
    found = network.extractor(pictures(), training=False)
    np.testing.assert_allclose(found, np.concatenate(pooled, axis=1), rtol=1e-5, atol=1e-6)


def test_one_layer_is_enough_and_none_is_the_whole_base(base: keras.Model) -> None:
    assert cut_base(base, None) is base
    network = build_network(base, Head(), 3, LAYERS[:1])
    assert network.base.output_shape == base.get_layer(LAYERS[0]).output.shape
    assert network.head.input_shape[1:] == (network.base.output_shape[-1],)


def test_a_layer_that_is_not_there_is_refused_with_the_nearest_one(base: keras.Model) -> None:
    with refused(
        ConfigError,
        found="model.features: .*'conv_pw_6_rel'",
        allowed="allowed are names such as .*mean conv_pw_6_relu",
        next="Name such ones",
    ):
        cut_base(base, ["conv_pw_6_rel"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"features": []},
        {"features": ["a", "a"]},
        {"features": ["a"], "head": {"pooling": "max"}},
        {"features": ["a"], "head": {"squeeze_excitation": 4}},
        {"head": {"standardize": True, "squeeze_excitation": 4}},
    ],
)
def test_settings_that_do_not_go_together_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Model.model_validate(wrong)


@pytest.mark.parametrize("first", ["conv_dw_2", "conv_dw_5", "conv_dw_6"])
def test_a_learner_on_the_unfrozen_top_answers_as_the_network(
    base: keras.Model, first: str
) -> None:
    """Also where some of the layers that the head reads lie below the boundary."""
    network = build_network(base, Head(standardize=True), 3, LAYERS)
    index = [layer.name for layer in network.base.layers].index(first)
    unfreeze(network.base, index)
    bottom, top = split_at(network.base, index)
    learner = make_learner([top, *network.pooling, network.head], None, None)
    found = learner(bottom(pictures(), training=False), training=False)
    np.testing.assert_allclose(found, network.classifier(pictures(), training=False), rtol=1e-4)
    assert learner.trainable_variables


def test_a_saved_classifier_is_read_back_the_same(base: keras.Model, tmp_path: Path) -> None:
    network = build_network(base, Head(standardize=True), 3, LAYERS)
    network.classifier.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded(pictures()), network.classifier(pictures()))


def test_standardised_features_have_mean_0_and_deviation_1_and_constants_stay_finite() -> None:
    features = np.random.default_rng(0).normal([5.0, -2.0, 7.0], [0.1, 30.0, 0.0], (500, 3))
    head = build_head(Head(standardize=True, dropout=0.0), (3,), 2)
    set_statistics(head, np.array_split(features, 7))
    layer = head.get_layer(STANDARDIZE)
    assert not layer.trainable_variables
    found = np.asarray(layer(tf.constant(features, tf.float32), training=True))
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-3)
    assert found.std(axis=0)[1] == pytest.approx(1, abs=1e-3)
    assert np.isfinite(found).all() and abs(found[:, 2]).max() < 1e-2
