from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.model.network import Network, build_network
from components.model.transform_graph import Pixels, first_pictures
from components.settings.export import Served
from components.settings.model import Head
from components.trainer import export_gain
from components.trainer.scoring import with_features
from components.trainer.served_network import ServedNetwork, averaged


@pytest.fixture(scope="module")
def network() -> Network:
    keras.utils.set_random_seed(1)
    inputs = keras.Input((32, 32, 3))
    outputs = keras.layers.Conv2D(4, 3, strides=4)(inputs)
    outputs = keras.layers.ReLU()(keras.layers.BatchNormalization()(outputs))
    return build_network(keras.Model(inputs, outputs, name="tiny"), Head(pooling="flatten"), 3)


def pictures() -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)


@pytest.mark.parametrize(
    ("flips", "turned"),
    [
        ([], [(1, 1)]),
        (["horizontal"], [(1, 1), (1, -1)]),
        (["vertical"], [(1, 1), (-1, 1)]),
        (["horizontal", "vertical"], [(1, 1), (1, -1), (-1, 1), (-1, -1)]),
    ],
)
def test_scores_are_the_mean_over_a_picture_and_its_flips(
    network: Network, flips: list[str], turned: list[tuple[int, int]]
) -> None:
    batch = pictures()
    scores = [
        network.classifier(batch[:, ::rows, ::columns], training=False) for rows, columns in turned
    ]
    wanted = np.mean(scores, axis=0)
    served = Served(average_flips=flips)
    np.testing.assert_allclose(ServedNetwork(network, served).scores(batch), wanted, atol=1e-6)
    model = with_features(network.classifier)
    in_memory, features = averaged(model, tf.constant(batch), served)
    seen = network.extractor(batch, training=False)
    np.testing.assert_allclose(features, seen, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(in_memory, wanted, atol=1e-6)
    if flips:
        assert np.abs(scores[0] - wanted).max() > 1e-4


def test_the_served_network_keeps_the_weights_of_when_it_was_made(network: Network) -> None:
    made = ServedNetwork(network)
    before = np.asarray(made.scores(pictures()))
    weights = network.head.get_weights()
    network.head.set_weights([-weight for weight in weights])
    after = np.asarray(made.scores(pictures()))
    network.head.set_weights(weights)
    np.testing.assert_array_equal(before, after)


def test_the_gain_is_measured_on_both_forms(
    network: Network, pixels: Pixels, split: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_gain, "_SECONDS", 0.01)
    served = Served(precision="bfloat16", average_flips=["horizontal"])
    form = ServedNetwork(network, served)
    reference = ServedNetwork(network, Served(average_flips=["horizontal"]))
    found = export_gain.measured(
        form, reference, ServedNetwork(network), pixels, first_pictures(split, 5)
    )
    assert found["pictures"] == 5
    assert found["agreement"] >= 0.6
    assert 0 < found["max_score_difference"] < 0.1
    plain, ours = found["rows"]
    assert ours["bytes"] < plain["bytes"]
    assert [batch["size"] for batch in ours["batches"]] == [1, 32]
    assert all(batch["pictures_per_second"] > 0 for batch in ours["batches"])
