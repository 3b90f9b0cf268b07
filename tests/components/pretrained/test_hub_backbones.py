"""Presets of KerasHub as backbones. What needs KerasHub itself is skipped where it is missing."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from components.backbones import BACKBONES
from components.errors import ConfigError
from components.hub_backbones import PREFIX, HubBackbone
from components.model.folding import inference_copy
from components.model.network import build_network, unfreeze
from components.model.pixel_scaling import affine, blue_first
from components.model.transform_graph import Pixels, first_pictures
from components.model.twin import twin
from components.pretrained.base import build_base
from components.pretrained.official_weights import imagenet_file, obtainable
from components.pretrained.published_network import ImageNet
from components.settings.model import Head, Model
from components.trainer.boundary import split_at
from tests.components import made_artifacts
from tests.components.trainer.test_session_loaders import check
from tests.explains import refused

SCALE, OFFSET = [0.01, 0.02, 0.03], [-1.0, -2.0, -3.0]


def write(folder: Path, config: dict[str, Any], converter: dict[str, Any]) -> HubBackbone:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"config": config}))
    (folder / "image_converter.json").write_text(json.dumps({"config": converter}))
    return HubBackbone(folder)


@pytest.fixture
def preset(tmp_path: Path) -> HubBackbone:
    return write(tmp_path / "a", {"image_shape": [48, 48, 3]}, {"scale": SCALE, "offset": OFFSET})


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def spec(name: str) -> Any:
        return found("json") if name == "keras_hub" else found(name)

    monkeypatch.setattr("components.hub_backbones.importlib.util.find_spec", spec)


def test_size_and_scaling_are_those_of_the_preset(preset: HubBackbone) -> None:
    assert preset.size == 48
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 4, 4, 3)).astype(np.float32)
    np.testing.assert_allclose(preset.scale(pixels), pixels * SCALE + OFFSET, rtol=1e-5)
    name = f"{PREFIX}{preset.folder}"
    slope, offset = affine(name)
    np.testing.assert_allclose(slope, SCALE, rtol=1e-5)
    np.testing.assert_allclose(offset, OFFSET, rtol=1e-5)
    assert not blue_first(name)


def test_one_number_scales_all_channels_and_none_changes_nothing(tmp_path: Path) -> None:
    scaled = write(tmp_path / "a", {}, {"scale": 0.5, "offset": None, "image_size": [64, 64]})
    assert scaled.size == 64
    np.testing.assert_array_equal(scaled.scale(np.full((1, 1, 3), 4.0)), np.full((1, 1, 3), 2.0))


def test_the_size_of_a_model_of_pairs_is_that_of_its_pictures(tmp_path: Path) -> None:
    vision = {"vision_encoder": {"config": {"image_shape": [32, 32, 3]}}}
    assert write(tmp_path / "a", vision, {}).size == 32


def test_another_file_is_another_digest(preset: HubBackbone) -> None:
    before = preset.digest
    assert preset.digest == before
    os.utime(preset.folder / "config.json", (1, 1))
    assert preset.digest != before


def test_the_name_is_absolute_and_a_folder_that_is_no_preset_is_refused(
    preset: HubBackbone, installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(preset.folder.parent)
    assert Model(backbone=f"{PREFIX}a").backbone == f"{PREFIX}{preset.folder}"
    with pytest.raises(ValidationError, match="no image_converter.json"):
        (preset.folder / "image_converter.json").unlink()
        Model(backbone=f"{PREFIX}a")
    with pytest.raises(ValidationError, match="fetch a preset by its name"):
        Model(backbone=f"{PREFIX}b")


@pytest.mark.parametrize("file", ["config.json", "image_converter.json"])
@pytest.mark.parametrize("text", ["", "{}", "[]", '{"config": null}', '{"config": "a"}'])
def test_a_damaged_preset_is_refused_by_its_folder(
    preset: HubBackbone, installed: None, file: str, text: str
) -> None:
    (preset.folder / file).write_text(text)
    with refused(
        ConfigError,
        found=f"{preset.folder} is no preset",
        allowed="as `save_to_preset` writes them",
        next="anew",
    ):
        preset.check()


def test_another_recipe_is_another_version_where_the_weights_fit_both(
    preset: HubBackbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.hub_backbones.metadata.version", lambda name: "1")
    before = preset.versions()
    assert preset.versions() == before
    write(preset.folder, {"image_shape": [48, 48, 3], "layer_norm_epsilon": 1e-3}, {})
    assert preset.versions() != before


def test_without_keras_hub_the_extra_is_named(
    preset: HubBackbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.hub_backbones.importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValidationError, match=r"transfer-pipeline\[hub\]"):
        Model(backbone=f"{PREFIX}{preset.folder}")


def test_there_is_no_imagenet_top(preset: HubBackbone) -> None:
    with refused(
        ConfigError,
        found="has no ImageNet top",
        allowed="allowed are inception_v3, ",
        next="Name one of them",
    ):
        ImageNet(f"{PREFIX}{preset.folder}")


TINY = {
    "patch_size": 8,
    "num_layers": 2,
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 16,
}


def vit(hub: Any) -> tuple[Any, Any]:
    model = hub.models.ViTBackbone(
        image_shape=(32, 32, 3), patch_size=8, num_layers=2, num_heads=2, hidden_dim=8, mlp_dim=16
    )
    return model, hub.layers.ViTImageConverter


def dinov2(hub: Any) -> tuple[Any, Any]:
    model = hub.models.DINOV2Backbone(
        image_shape=(32, 32, 3),
        position_embedding_shape=(48, 48, 3),
        num_register_tokens=3,
        **TINY,
    )
    return model, hub.layers.DINOV2ImageConverter


def resnet(hub: Any) -> tuple[Any, Any]:
    model = hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        image_shape=(32, 32, 3),
    )
    return model, hub.layers.ResNetImageConverter


def siglip(hub: Any) -> tuple[Any, Any]:
    sizes = {"hidden_dim": 8, "num_layers": 2, "num_heads": 2, "intermediate_dim": 16}
    model = hub.models.SigLIPBackbone(
        vision_encoder=hub.models.SigLIPVisionEncoder(
            patch_size=8, image_shape=(32, 32, 3), **sizes
        ),
        text_encoder=hub.models.SigLIPTextEncoder(
            vocabulary_size=20, embedding_dim=8, max_sequence_length=8, **sizes
        ),
    )
    return model, hub.layers.SigLIPImageConverter


def mobilenetv5(hub: Any) -> tuple[Any, Any]:
    """Returns one block of each kind: a residual of convolutions, and of attention."""
    zeros = [[0], [0]]
    model = hub.models.MobileNetV5Backbone(
        stackwise_block_types=[["er"], ["mqa"]],
        stackwise_num_blocks=[1, 1],
        stackwise_num_filters=[[24], [24]],
        stackwise_strides=[[2], [1]],
        stackwise_act_layers=[["relu"], ["relu"]],
        stackwise_exp_ratios=[[4.0], [4.0]],
        stackwise_se_ratios=[[0.0], [0.0]],
        stackwise_dw_kernel_sizes=zeros,
        stackwise_dw_start_kernel_sizes=zeros,
        stackwise_dw_end_kernel_sizes=zeros,
        stackwise_exp_kernel_sizes=[[3], [0]],
        stackwise_pw_kernel_sizes=[[1], [0]],
        stackwise_num_heads=[[0], [2]],
        stackwise_key_dims=[[0], [8]],
        stackwise_value_dims=[[0], [8]],
        stackwise_kv_strides=[[0], [1]],
        stackwise_use_cpe=[[False], [False]],
        use_msfa=False,
        image_shape=(32, 32, 3),
    )
    return model, hub.layers.MobileNetV5ImageConverter


def dinov3(hub: Any) -> tuple[Any, Any]:
    model = hub.models.DINOV3Backbone(image_shape=(32, 32, 3), num_register_tokens=3, **TINY)
    return model, hub.layers.DINOV3ImageConverter


def deit(hub: Any) -> tuple[Any, Any]:
    model = hub.models.DeiTBackbone(image_shape=(32, 32, 3), **TINY)
    return model, hub.layers.DeiTImageConverter


def mobilenet(hub: Any) -> tuple[Any, Any]:
    """Returns one block of each kind."""
    model = hub.models.MobileNetBackbone(
        stackwise_expansion=[[40, 56], [64]],
        stackwise_num_blocks=[2, 1],
        stackwise_num_filters=[[16, 16], [24]],
        stackwise_kernel_size=[[3, 3], [5]],
        stackwise_num_strides=[[2, 1], [2]],
        stackwise_se_ratio=[[None, None], [0.25]],
        stackwise_activation=[["relu", "relu"], ["hard_swish"]],
        stackwise_padding=[[1, 1], [2]],
        output_num_filters=48,
        input_activation="hard_swish",
        output_activation="hard_swish",
        input_num_filters=16,
        image_shape=(32, 32, 3),
        depthwise_filters=8,
        depthwise_stride=2,
        depthwise_residual=False,
        squeeze_and_excite=0.5,
        last_layer_filter=48,
    )
    return model, hub.layers.MobileNetImageConverter


KINDS = {
    each.__name__: each
    for each in (vit, deit, dinov2, dinov3, siglip, mobilenet, mobilenetv5, resnet)
}


@pytest.fixture(params=KINDS)
def saved(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Any, str]:
    """A model of KerasHub, and the name of its preset, which its own functions saved."""
    hub = pytest.importorskip("keras_hub")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    keras.utils.set_random_seed(0)
    return save(hub, request.param, tmp_path / "preset")


def save(hub: Any, kind: str, folder: Path) -> tuple[Any, str]:
    model, converter = KINDS[kind](hub)
    model.save_to_preset(str(folder))
    converter(image_size=(32, 32), scale=SCALE, offset=OFFSET).save_to_preset(str(folder))
    return model, f"{PREFIX}{folder}"


class Unreadable(keras.layers.Layer):
    """A layer whose configuration is not its constructor's, nor are its attributes."""

    def __init__(self, size: int, **kwargs: Any):
        super().__init__(**kwargs)

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "breadth": 1}


def test_a_layer_that_can_not_be_copied_is_refused_by_name(
    preset: HubBackbone, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = keras.Input((48, 48, 3))
    network = keras.Model(inputs, Unreadable(1)(inputs))
    monkeypatch.setattr(HubBackbone, "_model", lambda *_: network)
    with refused(
        ConfigError,
        found="Unreadable",
        allowed="neither saved nor served",
        next="Take another preset",
    ):
        build_base(f"{PREFIX}{preset.folder}", [48, 48], None)


@pytest.mark.parametrize("content", [None, b"damaged"])
def test_weights_that_can_not_be_read_are_refused_by_the_folder(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = pytest.importorskip("keras_hub")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    _, name = save(hub, "resnet", tmp_path / "preset")
    weights = tmp_path / "preset" / "model.weights.h5"
    weights.unlink()
    if content:
        weights.write_bytes(content)
    with refused(
        ConfigError,
        found=f"the weights of {tmp_path / 'preset'} can't be read",
        allowed="all files that `save_to_preset` wrote",
        next="Copy them there anew",
    ):
        imagenet_file(name)


@pytest.mark.slow
def test_a_preset_answers_as_in_keras_hub_and_in_a_session(
    saved: tuple[Any, str], split: str, tmp_path: Path
) -> None:
    published, name = saved
    assert Model(backbone=name).backbone == name
    assert BACKBONES[name].size == 32 and obtainable(name) is None
    base = build_base(name, [32, 32], imagenet_file(name))
    pictures = np.random.default_rng(0).normal(size=(3, 32, 32, 3)).astype(np.float32)
    published = getattr(published, "vision_encoder", published)
    inputs = keras.tree.map_structure(lambda _: pictures, published.input)
    expected = np.asarray(published(inputs))
    found = np.asarray(base(pictures))
    if expected.ndim == 2:
        np.testing.assert_allclose(found[:, 0, 0], expected, atol=1e-5)
    elif expected.ndim == 3:
        own = found[..., : expected.shape[2]].reshape(3, 16, -1)
        np.testing.assert_allclose(own, expected[:, -16:], atol=1e-5)
    else:
        np.testing.assert_allclose(found, expected, atol=1e-5)
    network = build_network(base, Head(), 3)
    middle = len(base.layers) // 2
    unfreeze(network.base, middle)
    bottom, top = split_at(network.base, middle)
    crossing = keras.tree.flatten(bottom(pictures))
    stated = [tuple(each.shape[1:]) for each in bottom.outputs]
    assert [tuple(each.shape[1:]) for each in crossing] == stated
    np.testing.assert_allclose(top(bottom(pictures)), base(pictures), atol=1e-5)
    network.base.trainable = False
    scores = np.asarray(network.classifier(pictures, training=False))
    for copy in (twin(network.classifier, "float32"), inference_copy(network)):
        np.testing.assert_allclose(copy(pictures, training=False), scores, atol=1e-5)
    half = twin(network.classifier, "bfloat16")
    np.testing.assert_allclose(half(pictures, training=False), scores, atol=0.05)
    network.classifier.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_allclose(loaded(pictures, training=False), scores, atol=1e-6)
    graph = made_artifacts.write_transform_graph(tmp_path, name, [32, 32])
    check(network, Pixels(graph), first_pictures(split, 3), tmp_path, scaling=name)
