from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from components.errors import ConfigError
from components.model import warm_start
from components.model.network import Network, build_network
from components.model.standardization import set_statistics
from components.model.transform_graph import Pixels, first_pictures
from components.pretrained.base import build_base
from components.settings.export import Served
from components.settings.model import Dense, Head
from components.trainer.export import export
from tests.explains import refused

CLASSES = ["blue", "green", "red"]
HEAD = Head(dense=[Dense(units=4)])


def network(seed: int, classes: int = 3, head: Head = HEAD) -> Network:
    keras.utils.set_random_seed(seed)
    return build_network(build_base("mobilenet", [32, 32], None), head, classes)


@pytest.fixture(scope="module")
def before() -> Network:
    return network(1)


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, before: Network, pixels: Pixels, split: str
) -> str:
    folder = tmp_path_factory.mktemp("served") / "Format-Serving"
    export(before, pixels, "mobilenet", CLASSES, first_pictures(split, 1), str(folder))
    return str(folder)


def equal(left: list[np.ndarray], right: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_base_and_head_get_the_served_models_weights(before: Network, served: str) -> None:
    now = network(2)
    assert not equal(now.base.get_weights(), before.base.get_weights())
    warm_start.restore_base(now.base, served)
    warm_start.restore_head(now.head, CLASSES, served)
    assert equal(now.classifier.get_weights(), before.classifier.get_weights())


def test_kept_classes_keep_what_is_known_of_them_and_new_ones_start_at_random(
    before: Network, served: str
) -> None:
    now = network(2, classes=4)
    fresh = now.head.get_weights()
    warm_start.restore_head(now.head, ["amber", "blue", "cyan", "red"], served)
    *inner, kernel, bias = now.head.get_weights()
    *old_inner, old_kernel, old_bias = before.head.get_weights()
    assert equal(inner, old_inner)
    np.testing.assert_array_equal(kernel[:, [1, 3]], old_kernel[:, [0, 2]])
    np.testing.assert_array_equal(bias[[1, 3]], old_bias[[0, 2]])
    np.testing.assert_array_equal(kernel[:, [0, 2]], fresh[-2][:, [0, 2]])


def test_a_class_with_another_name_keeps_its_weights(before: Network, served: str) -> None:
    now = network(2, classes=3)
    former = {"azure": ["sky", "blue"], "green": ["red"]}  # `green` is known by its own name
    warm_start.restore_head(now.head, ["azure", "green", "rot"], served, former_names=former)
    kernel, bias = now.head.get_weights()[-2:]
    old_kernel, old_bias = before.head.get_weights()[-2:]
    np.testing.assert_array_equal(kernel[:, :2], old_kernel[:, :2])
    np.testing.assert_array_equal(bias[:2], old_bias[:2])


def test_a_head_that_standardises_goes_on_from_one_that_did_not(
    before: Network, served: str
) -> None:
    now = network(2, head=HEAD.model_copy(update={"standardize": True}))
    warm_start.restore_base(now.base, served)
    warm_start.restore_head(now.head, CLASSES, served)
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    expected = before.classifier.predict(pictures, verbose=0)
    np.testing.assert_allclose(now.classifier.predict(pictures, verbose=0), expected, atol=1e-6)


@pytest.mark.parametrize("dense", [[], [Dense(units=4)]])
def test_a_head_that_does_not_standardise_goes_on_from_one_that_did(
    dense: list[Dense], pixels: Pixels, split: str, tmp_path: Path
) -> None:
    before = network(1, head=Head(standardize=True, dense=dense))
    rng = np.random.default_rng(0)
    pictures = rng.uniform(-1, 1, (8, 32, 32, 3)).astype(np.float32)
    set_statistics(before.head, [before.extractor.predict(pictures, verbose=0)])
    folder = str(tmp_path / "Format-Serving")
    export(before, pixels, "mobilenet", CLASSES, first_pictures(split, 1), folder)
    now = network(2, head=Head(dense=dense).fitted_to(frozen_epochs=0))
    assert len(now.head.weights) == len(before.head.weights) - 2
    warm_start.restore_base(now.base, folder)
    warm_start.restore_head(now.head, CLASSES, folder)
    expected = before.classifier.predict(pictures, verbose=0)
    np.testing.assert_allclose(now.classifier.predict(pictures, verbose=0), expected, atol=1e-5)


@pytest.mark.parametrize("head", [Head(), Head(dense=[Dense(units=5)]), Head(standardize=True)])
def test_another_head_is_refused_with_the_ways_out(served: str, head: Head) -> None:
    with refused(
        ConfigError,
        found="warm_start: ",
        allowed="the model served now has another network than `model` describes",
        next="Restore its backbone and head in the configuration, or set .*warm_start=false",
    ):
        warm_start.restore_head(network(2, head=head).head, CLASSES, served)


def test_another_backbone_is_refused(served: str) -> None:
    other = build_base("mobilenet_v2", [32, 32], None)
    with refused(
        ConfigError,
        found="warm_start: ",
        allowed="the model served now has another network than `model` describes",
        next="Restore its backbone and head in the configuration, or set .*warm_start=false",
    ):
        warm_start.restore_base(other, served)


def test_a_model_without_training_weights_is_refused_with_the_ways_out(
    before: Network, pixels: Pixels, split: str, tmp_path: Path
) -> None:
    served = Served(training_weights=False)
    folder = str(tmp_path / "1")
    export(before, pixels, "mobilenet", CLASSES, [], folder, served=served)
    with refused(
        ConfigError,
        found="export.training_weights=false",
        allowed="it holds no weights to train on",
        next="Set training.warm_start=false for this run",
    ):
        warm_start.restore_base(network(2).base, folder)


def test_a_bfloat16_export_passes_on_the_weights_as_they_were_fitted(
    before: Network, pixels: Pixels, tmp_path: Path
) -> None:
    served, folder = Served(precision="bfloat16"), str(tmp_path / "1")
    export(before, pixels, "mobilenet", CLASSES, [], folder, served=served)
    now = network(2)
    warm_start.restore_base(now.base, folder)
    assert equal(now.base.get_weights(), before.base.get_weights())
