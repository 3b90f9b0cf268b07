from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.model.network import build_extractor, build_head, build_network, freeze, unfreeze
from components.pretrained.base import build_base
from components.settings.model import Dense, Head
from tests.components.model.hub_like import SIDE, hub_like

CLASSES = 3
FIRST = "conv_dw_12"


@pytest.fixture(scope="module")
def unit_power_weights() -> list[np.ndarray]:
    keras.utils.set_random_seed(0)
    base = build_base("mobilenet", [32, 32], None)
    for layer in normalizations(base):  # at unit power, so that gradients reach every layer
        received = keras.Model(base.input, layer.input)(pictures(), training=False)
        power = np.mean(np.square(received))
        layer.moving_variance.assign(np.full(layer.moving_variance.shape, power))
    return base.get_weights()


@pytest.fixture
def base(unit_power_weights: list[np.ndarray]) -> keras.Model:
    """A random MobileNet of 32 pixels, another for each test."""
    base = build_base("mobilenet", [32, 32], None)
    base.set_weights(unit_power_weights)
    return base


def normalizations(base: keras.Model) -> list[keras.layers.BatchNormalization]:
    return [layer for layer in base.layers if isinstance(layer, keras.layers.BatchNormalization)]


def classifier_on(base: keras.Model) -> keras.Model:
    return build_network(base, Head(dropout=0.0), CLASSES).classifier


def pictures(count: int = 8) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (count, 32, 32, 3)).astype(np.float32)


def fit_a_step(classifier: keras.Model) -> None:
    classifier.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    classifier.fit(pictures(), np.arange(8) % CLASSES, batch_size=8, epochs=1, verbose=0)


def weights(layers: list[keras.Layer]) -> list[np.ndarray]:
    return [weight for layer in layers for weight in layer.get_weights()]


def equal(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_a_frozen_base_learns_nothing_while_the_head_does(base: keras.Model) -> None:
    classifier = classifier_on(base)
    freeze(base)
    before = weights(base.layers), classifier.get_layer("head").get_weights()
    fit_a_step(classifier)
    assert equal(before[0], weights(base.layers))
    assert not equal(before[1], classifier.get_layer("head").get_weights())


def test_layers_from_the_first_on_learn_and_those_before_do_not(base: keras.Model) -> None:
    classifier = classifier_on(base)
    first = base.layers.index(base.get_layer(FIRST))
    unfreeze(base, first)
    below = weights(base.layers[:first])
    above = [layer for layer in base.layers[first:] if layer.trainable_weights]
    before = [layer.get_weights() for layer in above]
    fit_a_step(classifier)
    assert equal(below, weights(base.layers[:first]))
    assert [layer.name for layer in above] == [FIRST, "conv_pw_12", "conv_dw_13", "conv_pw_13"]
    for layer, old in zip(above, before, strict=True):
        assert not equal(old, layer.get_weights())


@pytest.mark.parametrize("first", [0, 76])
def test_batch_normalization_is_not_touched_by_the_unfrozen_phase(
    base: keras.Model, first: int
) -> None:
    classifier = classifier_on(base)
    unfreeze(base, first)
    before = weights(normalizations(base))
    fit_a_step(classifier)  # `fit` calls the model with training=True
    assert equal(before, weights(normalizations(base)))


def test_batch_normalization_within_a_layer_is_not_touched_either() -> None:
    base = hub_like()
    unfreeze(base, 0)
    block = base.layers[1]
    [inner] = block.normalizations
    assert not inner.trainable and block.convolution.trainable
    before = weights([inner])
    base(np.ones((2, SIDE, SIDE, 3), np.float32), training=True)
    assert equal(before, weights([inner]))


def test_batch_normalization_runs_in_inference_mode_in_both_phases(base: keras.Model) -> None:
    extractor = build_extractor(base, Head())
    freeze(base)
    frozen = extractor(pictures(), training=True)
    np.testing.assert_array_equal(frozen, extractor(pictures(), training=False))
    unfreeze(base, 0)
    unfrozen = extractor(pictures(), training=True)
    np.testing.assert_array_equal(unfrozen, extractor(pictures(), training=False))
    np.testing.assert_array_equal(unfrozen, frozen)


def test_the_test_above_would_see_training_mode(base: keras.Model) -> None:
    extractor = build_extractor(base, Head())
    base.trainable = True
    trained = extractor(pictures(), training=True)
    assert not np.allclose(trained, extractor(pictures(), training=False))


def test_freezing_again_takes_unfreezing_back(base: keras.Model) -> None:
    unfreeze(base, 0)
    freeze(base)
    assert base.trainable_weights == []


@pytest.mark.parametrize(
    ("pooling", "features"), [("average", 1024), ("max", 1024), ("flatten", 4 * 1024)]
)
def test_the_extractor_gives_one_row_of_features_per_picture(pooling: str, features: int) -> None:
    base = build_base("mobilenet", [64, 64], None)
    extractor = build_extractor(base, Head.model_validate({"pooling": pooling}))
    assert extractor.input_shape == (None, 64, 64, 3)
    assert extractor.output_shape == (None, features)


def test_the_head_has_the_layers_asked_for_and_gives_probabilities() -> None:
    dense = [Dense(units=5, activation="elu", dropout=0.4), Dense(units=4)]
    head = build_head(Head(dropout=0.5, dense=dense), (7,), CLASSES)
    assert (head.input_shape, head.output_shape) == ((None, 7), (None, CLASSES))
    found = [layer for layer in head.layers if not isinstance(layer, keras.layers.InputLayer)]
    assert [type(layer).__name__ for layer in found] == [
        *("Dropout", "Dense", "Dropout", "Dense", "Dropout", "Dense")
    ]
    assert [layer.rate for layer in found[::2]] == [0.5, 0.4, 0.0]
    assert [layer.units for layer in found[1::2]] == [5, 4, CLASSES]
    assert [keras.activations.serialize(layer.activation) for layer in found[1::2]] == [
        *("elu", "relu", "softmax")
    ]
    scores = head(np.ones((2, 7), np.float32)).numpy()
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


def test_the_classifier_is_the_extractor_with_the_head_on_it(base: keras.Model) -> None:
    network = build_network(base, Head(), CLASSES)
    assert network.classifier.output_shape == (None, CLASSES)
    features = network.extractor(pictures(), training=False)
    np.testing.assert_allclose(
        network.classifier(pictures(), training=False),
        network.head(features, training=False),
        atol=1e-6,
    )
    assert [layer.name for layer in network.pooling] == ["pooling"]


@pytest.mark.parametrize("pooling", ["average", "max", "flatten"])
def test_squeeze_and_excitation_lies_between_base_and_scores(pooling: str) -> None:
    base = build_base("mobilenet", [64, 64], None)
    head = Head.model_validate({"pooling": pooling, "squeeze_excitation": 4, "dropout": 0})
    network = build_network(base, head, CLASSES)
    assert network.pooling == []
    reduce, excite = (network.head.get_layer(name) for name in ("reduce", "excite"))
    assert (reduce.units, excite.units) == (1024 // 4, 1024)
    block = [*reduce.trainable_variables, *excite.trainable_variables]
    maps = np.random.default_rng(0).normal(size=(2, 2, 2, 1024)).astype(np.float32)
    with tf.GradientTape() as tape:
        score = network.head(maps, training=False)[:, 0]
    gradients = tape.gradient(score, [variable.value for variable in block])
    assert all(np.abs(gradient.numpy()).max() > 0 for gradient in gradients)


def test_the_l2_penalty_is_on_every_dense_layer_of_the_head() -> None:
    head = build_head(Head(l2=0.01, dense=[Dense(units=4)]), (7,), CLASSES)
    squares = sum(np.square(weight).sum() for weight in head.get_weights() if weight.ndim == 2)
    assert sum(head.losses).numpy() == pytest.approx(0.01 * squares, rel=1e-5)
    assert build_head(Head(dense=[Dense(units=4)]), (7,), CLASSES).losses == []


def test_normalization_learns_only_where_all_is_trained_anew(base: keras.Model) -> None:
    unfreeze(base, 0, normalization=True)
    before = weights(normalizations(base))
    fit_a_step(classifier_on(base))
    assert not equal(before, weights(normalizations(base)))
