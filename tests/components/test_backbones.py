from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np
import pytest

from components.backbones import BACKBONES
from components.errors import ConfigError
from components.pretrained.base import build_base, first_unfrozen
from tests.explains import refused


def mobilenet(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    return build_base("mobilenet", [32, 32], None)


@pytest.fixture(scope="module")
def base() -> keras.Model:
    return mobilenet(1)


def same_weights(left: keras.Model, right: keras.Model) -> bool:
    pairs = zip(left.get_weights(), right.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def test_the_backbones_of_the_contract_are_there() -> None:
    expected = {
        *("inception_v3", "vgg16", "vgg19", "resnet50", "xception", "mobilenet"),
        *("mobilenet_v2", "mobilenet_v3_large", "efficientnet_v2_b0", "convnext_tiny"),
    }
    assert expected <= BACKBONES.keys()


@pytest.mark.parametrize("name", sorted(BACKBONES))
def test_every_line_names_what_keras_has(name: str) -> None:
    entry = BACKBONES[name]
    smallest = [entry.minimum_size, entry.minimum_size]
    base = build_base(name, smallest, None)
    assert base.input_shape == (None, *smallest, 3)
    assert base.count_params() / 1e6 == pytest.approx(entry.millions, abs=0.1)
    assert len(base.output_shape) == 4  # a feature map: no pooling, no classes
    assert base.layers[first_unfrozen(base, name, None)].name == entry.from_layer
    with pytest.raises(ValueError):
        entry.constructor(include_top=False, weights=None, input_shape=(*[smallest[0] - 1] * 2, 3))


def test_the_default_backbone_unfreezes_from_mixed7() -> None:
    assert BACKBONES["inception_v3"].from_layer == "mixed7"


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
def test_weights_are_read_in_each_of_keras_formats(
    tmp_path: Path, base: keras.Model, suffix: str
) -> None:
    file = tmp_path / f"saved{suffix}"
    (base.save_weights if suffix == ".weights.h5" else base.save)(file)
    keras.utils.set_random_seed(2)
    assert not same_weights(base, build_base("mobilenet", [32, 32], None))
    assert same_weights(base, build_base("mobilenet", [32, 32], file))


def test_weights_do_not_depend_on_the_size_of_the_pictures(
    tmp_path: Path, base: keras.Model
) -> None:
    base.save_weights(tmp_path / "saved.weights.h5")
    assert same_weights(base, build_base("mobilenet", [64, 40], tmp_path / "saved.weights.h5"))


def test_a_missing_file_is_named_with_what_is_allowed(tmp_path: Path) -> None:
    with refused(
        ConfigError,
        found="model.weights: no file .*none.h5",
        allowed="existing file or `imagenet`",
        next="Name",
    ):
        build_base("mobilenet", [32, 32], tmp_path / "none.h5")


def _small_network() -> keras.Model:
    return keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(8, 3)])


def _narrow_mobilenet() -> keras.Model:
    constructor = keras.applications.MobileNet
    return constructor(alpha=0.25, include_top=False, weights=None, input_shape=(32, 32, 3))


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".keras"])
@pytest.mark.parametrize("other", [_small_network, _narrow_mobilenet])
def test_the_weights_of_another_architecture_are_refused(
    tmp_path: Path, suffix: str, other: type[keras.Model]
) -> None:
    file = tmp_path / f"other{suffix}"
    network = other()
    (network.save_weights if suffix == ".weights.h5" else network.save)(file)
    _refused(file)
    with refused(
        ConfigError,
        found="the first difference: conv1 is 3x3x3x32, in the file",
        allowed="weights of mobilenet without its top",
        next="Name a file saved from that network",
    ):
        build_base("mobilenet", [32, 32], file)


@pytest.mark.parametrize("name", ["text.weights.h5", "text.h5", "text.keras", "text.txt"])
def test_a_file_that_holds_no_weights_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("hello")
    _refused(tmp_path / name)


def test_half_a_file_is_refused(tmp_path: Path, base: keras.Model) -> None:
    for suffix in (".weights.h5", ".keras"):
        file = tmp_path / f"half{suffix}"
        (base.save_weights if suffix == ".weights.h5" else base.save)(file)
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
        _refused(file)


def _refused(file: Path) -> None:
    words = f"model.weights: {file} does not hold the weights of mobilenet without its top"
    with refused(
        ConfigError,
        found=re.escape(words),
        allowed="without its top",
        next="Name a file saved from that network",
    ):
        build_base("mobilenet", [32, 32], file)


def test_the_first_unfrozen_layer_is_found_by_name_index_or_default(base: keras.Model) -> None:
    layers = [layer.name for layer in base.layers]
    assert first_unfrozen(base, "mobilenet", "conv_pw_3") == layers.index("conv_pw_3")
    assert first_unfrozen(base, "mobilenet", 0) == 0
    assert first_unfrozen(base, "mobilenet", len(layers) - 1) == len(layers) - 1
    assert first_unfrozen(base, "mobilenet", None) == layers.index("conv_dw_12")


@pytest.mark.parametrize("wanted", ["mixed7", "", "3", 999])
def test_a_layer_that_the_backbone_has_not_is_refused_with_those_allowed(
    base: keras.Model, wanted: str | int
) -> None:
    last = len(base.layers) - 1
    allowed = f"allowed are 0 to {last} or a name"
    found = re.escape(f"from_layer: mobilenet has no layer {wanted!r}")
    with refused(ConfigError, found=found, allowed=allowed, next="Set one of them"):
        first_unfrozen(base, "mobilenet", wanted)
    with refused(
        ConfigError, found=f"no layer {last + 1}", allowed=allowed, next="Set one of them"
    ):
        first_unfrozen(base, "mobilenet", last + 1)
