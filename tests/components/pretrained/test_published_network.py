from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from components.errors import ConfigError
from components.pretrained import official_weights as weights
from components.pretrained import published_network as imagenet
from components.pretrained.official_weights import WeightsUnavailable
from serving.client import PictureRefused, Prediction
from tests import made_pictures
from tests.explains import refused

NAMES = {str(number): [f"n{number:08}", f"thing_{number}"] for number in range(1000)}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = made_pictures.make(tmp_path_factory.mktemp("imagenet"), 1)
    return sorted(folder.rglob("*.png"))


@pytest.fixture
def classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> imagenet.ImageNet:
    """MobileNet with random weights, as if they were downloaded, and made-up names."""
    keras.utils.set_random_seed(0)
    file = tmp_path / "mobilenet.weights.h5"
    keras.applications.MobileNet(weights=None).save_weights(file)
    monkeypatch.setattr(imagenet, "imagenet_file", lambda backbone, top: file)
    monkeypatch.setattr("keras.src.applications.imagenet_utils.CLASS_INDEX", NAMES)
    return imagenet.ImageNet("mobilenet")


def test_each_picture_gets_the_names_of_the_networks_best_classes(
    classifier: imagenet.ImageNet, pictures: list[Path]
) -> None:
    answers = list(classifier.classify_each(pictures))
    assert len(answers) == len(pictures)
    for path, answer in zip(pictures, answers, strict=True):
        assert isinstance(answer, Prediction)
        image = keras.utils.load_img(path, target_size=(224, 224), interpolation="bilinear")
        pixels = keras.applications.mobilenet.preprocess_input(np.array(image, np.float32))
        scores = classifier._model(pixels[np.newaxis]).numpy()[0]
        assert list(answer.scores) == sorted(answer.scores, reverse=True)
        assert answer.classes[0].startswith("thing_")
        assert answer.scores[0] == pytest.approx(scores.max(), rel=0.05)


def test_a_broken_file_is_told_and_the_next_one_answered(
    classifier: imagenet.ImageNet, pictures: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_text("no picture")
    missing = tmp_path / "missing.jpg"
    first, second, third = classifier.classify_each([broken, missing, pictures[0]])
    assert isinstance(first, PictureRefused)
    assert isinstance(second, PictureRefused)
    assert isinstance(third, Prediction)


def test_an_unknown_backbone_is_refused_with_those_there_are() -> None:
    with refused(
        ConfigError,
        found="--imagenet alexnet",
        allowed="allowed are inception_v3",
        next="Name one of them",
    ):
        imagenet.ImageNet("alexnet")


def test_a_host_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(weights, "_weights_url", lambda backbone: "https://weights.invalid/a.h5")
    with refused(
        WeightsUnavailable,
        found=r"The ImageNet weights of mobilenet can't be downloaded: weights\.invalid",
        allowed="where the host can be reached",
        next="Ask once",
    ):
        imagenet.ImageNet("mobilenet")
