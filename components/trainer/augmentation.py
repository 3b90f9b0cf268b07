"""Random changes of training pictures, by Keras' own layers."""

from __future__ import annotations

import os

import keras
import tensorflow as tf

from components.fit.seeds import reseed
from components.model.pixel_scaling import BLACK_TO_WHITE, affine, blue_first
from components.settings.augmentation import Augmentation

_SHEET = 6  # pictures


class Augmenter:
    """Changes a batch, on the device that trains, by the seed and epoch alone.

    The Transform graph has scaled the pixels by then; they are unscaled and scaled again, so that
    a change means the same for every backbone.
    """

    def __init__(self, settings: Augmentation, backbone: str, seed: int):
        """Makes the layers.

        Args:
          settings: what is changed.
          backbone: whose pixel scaling applies.
          seed: with it the same epochs give the same changes.
        """
        self._seed = seed
        self._slope, self._offset = affine(backbone)
        self.blue_first = blue_first(backbone)
        """Whether the backbone's channels stand in the order blue, green, red."""
        self._picture_layers = _picture_layers(settings)
        self._batch_layers = _batch_layers(settings)

    def __call__(self, pixels: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Changes [batch, height, width, 3] scaled pixels and [batch, classes] one-hot labels."""
        images = self.unscaled(pixels)
        for layer in self._picture_layers:
            images = layer(images, training=True)
        for layer in self._batch_layers:
            mixed = layer({"images": images, "labels": labels}, training=True)
            images, labels = mixed["images"], mixed["labels"]
        images = tf.ensure_shape(images, pixels.shape)
        return images * self._slope + self._offset, labels

    def unscaled(self, pixels: tf.Tensor) -> tf.Tensor:
        """Returns pixels in [0, 255] for scaled ones; channels stay in the backbone's order."""
        return (pixels - self._offset) / self._slope

    def begin_epoch(self, epoch: int) -> None:
        """Starts the layers' random numbers anew, so that a resumed epoch is as it would be."""
        layers = (*self._picture_layers, *self._batch_layers)
        reseed([variable for layer in layers for variable in layer.variables], self._seed, epoch)


def write_sheet(augmenter: Augmenter, batches: tf.data.Dataset, folder: str) -> None:
    """Writes `augmented.png`: per line a training picture, and what four epochs make of it."""
    images, labels = next(iter(batches.take(1)))
    images, labels = images[:_SHEET], labels[:_SHEET]
    columns = [images]
    for epoch in range(4):
        augmenter.begin_epoch(epoch)
        columns.append(augmenter(images, labels)[0])
    lines = tf.concat([augmenter.unscaled(column) for column in columns], axis=2)
    sheet = tf.concat(tf.unstack(lines), axis=0)
    if augmenter.blue_first:
        sheet = sheet[..., ::-1]
    encoded = tf.io.encode_png(tf.saturate_cast(tf.round(sheet), tf.uint8))
    tf.io.write_file(os.path.join(folder, "augmented.png"), encoded)


def _picture_layers(settings: Augmentation) -> list[keras.Layer]:
    layers, fill = keras.layers, {"fill_mode": settings.fill_mode}
    chosen: list[keras.Layer] = []
    if settings.horizontal_flip:
        chosen.append(layers.RandomFlip("horizontal"))
    if settings.vertical_flip:
        chosen.append(layers.RandomFlip("vertical"))
    if settings.rotation:
        chosen.append(layers.RandomRotation(settings.rotation / 360, **fill))
    if settings.shift:
        chosen.append(layers.RandomTranslation(settings.shift, settings.shift, **fill))
    if settings.shear:
        chosen.append(layers.RandomShear(settings.shear, settings.shear, **fill))
    if settings.zoom:
        chosen.append(layers.RandomZoom(settings.zoom, **fill))
    if settings.contrast:
        chosen.append(layers.RandomContrast(settings.contrast, value_range=BLACK_TO_WHITE))
    if settings.brightness:
        chosen.append(layers.RandomBrightness(settings.brightness, value_range=BLACK_TO_WHITE))
    if settings.rand_augment.layers:
        random = settings.rand_augment
        chosen.append(layers.RandAugment(BLACK_TO_WHITE, random.layers, random.magnitude))
    return chosen


def _batch_layers(settings: Augmentation) -> list[keras.Layer]:
    mixers = [(keras.layers.MixUp, settings.mixup), (keras.layers.CutMix, settings.cutmix)]
    return [layer(alpha) for layer, alpha in mixers if alpha]
