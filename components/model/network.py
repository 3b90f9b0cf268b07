"""Builds the classifier from base and head; BottleneckGen and Trainer must agree on it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import keras

from components.model.cut_base import cut_base
from components.model.inner_layers import with_inner
from components.model.standardization import standardizer
from components.settings.model import Head

_POOLING = {
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
    "flatten": keras.layers.Flatten,
}


@dataclasses.dataclass(frozen=True)
class Network:
    """A classifier and its parts, which share their weights.

    Attributes:
      base: the backbone without its top, up to the highest layer that the head reads.
      extractor: the feature extractor: backbone and pooling.
      head: the trainable layers on it: its output -> [batch, classes] probabilities.
      classifier: both: [batch, height, width, 3] scaled pixels -> [batch, classes] probabilities.
    """

    base: keras.Model
    extractor: keras.Model
    head: keras.Model
    classifier: keras.Model

    @property
    def pooling(self) -> list[keras.Layer]:
        """The extractor's layers above the base."""
        return self.extractor.layers[self.extractor.layers.index(self.base) + 1 :]


def build_network(
    base: keras.Model, head: Head, classes: int, features: Sequence[str] | None = None
) -> Network:
    """Builds a base, the pooling and a new head for so many classes into one classifier.

    Args:
      base: the whole backbone without its top.
      head: the head.
      classes: their number.
      features: as `model.features`.
    """
    base = cut_base(base, features)
    extractor = build_extractor(base, head)
    on_top = build_head(head, extractor.output_shape[1:], classes)
    inputs = keras.Input(base.input_shape[1:], name="image")
    classifier = keras.Model(inputs, on_top(extractor(inputs)), name="classifier")
    return Network(base, extractor, on_top, classifier)


def build_extractor(
    base: keras.Model, head: Head, features: Sequence[str] | None = None
) -> keras.Model:
    """Builds the feature extractor: backbone and pooling.

    [batch, height, width, 3] -> [batch, features], or the backbone's last feature map [batch,
    height, width, channels] where a squeeze-and-excitation block must see it before the pooling.
    Of several layers' outputs, each pooled, the features are concatenated, the highest first.
    """
    base = cut_base(base, features)
    inputs = keras.Input(base.input_shape[1:], name="image")
    outputs = base(inputs)
    if head.squeeze_excitation is None:
        outputs = _pool(head, outputs)
    return keras.Model(inputs, outputs, name="extractor")


def freeze(base: keras.Model) -> None:
    """Makes no layer of the base trainable."""
    base.trainable = False


def unfreeze(base: keras.Model, first: int, normalization: bool = False) -> None:
    """Makes the base's layers from index `first` on trainable, all but BatchNormalization.

    That must stay in inference mode, within KerasHub's blocks, too: statistics updated on a small
    data set cost tens of points of accuracy (keras.io, guide "Transfer learning and fine-tuning").
    A layer that is not trainable runs in it; `base(inputs, training=False)` would not do, since a
    functional model around it passes its own `training` on.

    Args:
      base: the backbone.
      first: index of its first trainable layer.
      normalization: makes BatchNormalization trainable, too: where all weights are random, there
        are no statistics to keep.
    """
    base.trainable = True
    for index, layer in enumerate(base.layers):
        layer.trainable = index >= first
    if not normalization:
        for layer in with_inner(base.layers):
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.trainable = False


def build_head(head: Head, features: tuple[int, ...], classes: int) -> keras.Model:
    """Builds the head, which is trainable in both phases.

    Args:
      head: its layers.
      features: shape of one picture's output of the extractor.
      classes: their number.

    Returns:
      [batch, *features] -> [batch, classes] float32 probabilities.
    """
    inputs = outputs = keras.Input(features, name="features")
    if head.squeeze_excitation is not None:
        outputs = _pool(head, _squeeze_and_excite(outputs, head.squeeze_excitation))
    if head.standardize:
        outputs = standardizer()(outputs)
    outputs = keras.layers.Dropout(head.dropped)(outputs)
    for layer in head.dense:
        outputs = _dense(head, layer.units, layer.activation)(outputs)
        outputs = keras.layers.Dropout(layer.dropout)(outputs)
    # In single precision whatever the others compute in: a softmax needs it.
    outputs = _dense(head, classes, "softmax", name="scores", dtype="float32")(outputs)
    return keras.Model(inputs, outputs, name="head")


def _pool(head: Head, outputs: keras.KerasTensor | list[keras.KerasTensor]) -> keras.KerasTensor:
    if isinstance(outputs, list):
        return _pool_each(head, outputs)(outputs)
    return _POOLING[head.pooling](name="pooling")(outputs)


def _pool_each(head: Head, maps: list[keras.KerasTensor]) -> keras.Model:
    """Returns, as one layer: maps [batch, rows, columns, channels] -> [batch, all channels]."""
    inputs = [keras.Input(each.shape[1:], dtype=each.dtype) for each in maps]
    pooled = [_POOLING[head.pooling]()(each) for each in inputs]
    return keras.Model(inputs, keras.layers.Concatenate()(pooled), name="pooling")


def _squeeze_and_excite(outputs: keras.KerasTensor, ratio: int) -> keras.KerasTensor:
    """Weighs the channels by their means over the picture (Hu et al. 2018, arXiv 1709.01507)."""
    channels = outputs.shape[-1]
    weights = keras.layers.GlobalAveragePooling2D(keepdims=True, name="squeeze")(outputs)
    reduced = max(1, channels // ratio)
    weights = keras.layers.Dense(reduced, activation="relu", name="reduce")(weights)
    weights = keras.layers.Dense(channels, activation="sigmoid", name="excite")(weights)
    return keras.layers.Multiply(name="reweigh")([outputs, weights])


def _dense(head: Head, units: int, activation: str, **arguments: str) -> keras.layers.Dense:
    penalty = keras.regularizers.L2(head.penalty) if head.penalty else None
    return keras.layers.Dense(units, activation=activation, kernel_regularizer=penalty, **arguments)
