from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.backbones import BACKBONES
from components.settings.augmentation import Augmentation
from components.trainer.augmentation import Augmenter, write_sheet

CHANGES: list[dict[str, Any]] = [
    {"rotation": 40},
    {"shift": 0.2},
    {"shear": 0.2},
    {"zoom": 0.2},
    {"horizontal_flip": True},
    {"vertical_flip": True},
    {"contrast": 0.5},
    {"brightness": 0.5},
    {"rand_augment": {"layers": 2}},
    {"mixup": 0.4},
    {"cutmix": 1.0},
]


def batch(backbone: str) -> tuple[tf.Tensor, tf.Tensor]:
    pictures = np.random.default_rng(0).uniform(0, 255, (8, 24, 24, 3)).astype(np.float32)
    return tf.constant(BACKBONES[backbone].scale(pictures)), tf.one_hot([0, 1, 2, 0] * 2, 3)


def augmenter(backbone: str = "mobilenet", **settings: Any) -> Augmenter:
    return Augmenter(Augmentation.model_validate(settings), backbone, seed=3)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_a_change_depends_on_seed_and_epoch_alone(change: dict[str, Any]) -> None:
    pictures, labels = batch("mobilenet")

    def epoch(number: int, made: Augmenter) -> list[np.ndarray]:
        made.begin_epoch(number)
        return [tensor.numpy() for _ in range(2) for tensor in made(pictures, labels)]

    one, two = augmenter(**change), augmenter(**change)
    first = epoch(0, one)
    assert all(np.array_equal(a, b) for a, b in zip(first, epoch(0, two), strict=True))
    other = epoch(1, one)
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(first, epoch(0, one), strict=True))
    assert not np.allclose(first[0], pictures)


@pytest.mark.parametrize("backbone", ["mobilenet", "vgg16", "efficientnet_v2_b0"])
def test_pixels_keep_the_backbones_scaling(backbone: str) -> None:
    pictures, labels = batch(backbone)
    made = augmenter(backbone, horizontal_flip=True)
    flipped = made(pictures, labels)[0].numpy()
    for picture, before in zip(flipped, pictures.numpy(), strict=True):
        assert np.allclose(picture, before, atol=1e-2) or np.allclose(
            picture, before[:, ::-1], atol=1e-2
        )
    unscaled = made.unscaled(pictures).numpy()
    assert -1 < unscaled.min() < 5
    assert 250 < unscaled.max() < 256


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_mixed_pictures_have_mixed_labels(mix: str) -> None:
    pictures, labels = batch("mobilenet")
    made = augmenter(**{mix: 1.0})
    made.begin_epoch(0)
    mixed = made(pictures, labels)[1].numpy()
    np.testing.assert_allclose(mixed.sum(axis=1), 1, rtol=1e-5)
    assert ((mixed > 0.01) & (mixed < 0.99)).any()


def test_the_sheet_shows_pictures_in_their_own_colours(tmp_path: Path) -> None:
    red = np.zeros((6, 24, 24, 3), np.float32)
    red[..., 0] = 255
    for backbone in ("mobilenet", "vgg16"):
        scaled = tf.constant(BACKBONES[backbone].scale(red.copy()))
        batches = tf.data.Dataset.from_tensors((scaled, tf.one_hot([0] * 6, 2)))
        write_sheet(augmenter(backbone, rotation=10), batches, str(tmp_path))
        with Image.open(tmp_path / "augmented.png") as sheet:
            assert sheet.size == (5 * 24, 6 * 24)
            assert sheet.getpixel((3, 3)) == (255, 0, 0)


def test_nothing_asked_for_is_nothing_changed() -> None:
    assert not Augmentation().active
    assert not Augmentation(fill_mode="wrap").active
    for change in CHANGES:
        assert Augmentation.model_validate(change).active
