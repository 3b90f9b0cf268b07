"""How base and head make a classifier; BottleneckGen and Trainer must agree on it."""

from __future__ import annotations

import keras

from components.settings.model import Head

_POOLING = {
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
    "flatten": keras.layers.Flatten,
}


def build_extractor(base: keras.Model, head: Head) -> keras.Model:
    """Gives the base with the head's pooling: [batch, height, width, 3] -> [batch, features]."""
    inputs = keras.Input(base.input_shape[1:], name="image")
    features = _POOLING[head.pooling](name="pooling")(base(inputs))
    return keras.Model(inputs, features, name="extractor")


def freeze(base: keras.Model) -> None:
    """Lets no layer of the base learn."""
    base.trainable = False


def unfreeze(base: keras.Model, first: int) -> None:
    """Lets the base's layers from index `first` on learn, all but BatchNormalization.

    That must stay in inference mode: statistics updated on a small data set cost tens of points
    of accuracy (keras.io, guide "Transfer learning and fine-tuning"). A layer that may not learn
    runs in it; `base(inputs, training=False)` would not do, since a functional model around it
    passes its own `training` on.
    """
    base.trainable = True
    for index, layer in enumerate(base.layers):
        normalises = isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = index >= first and not normalises


def build_head(head: Head, features: int, classes: int) -> keras.Model:
    """Gives what learns in both phases: [batch, features] -> [batch, classes] probabilities."""
    inputs = keras.Input((features,), name="features")
    outputs = keras.layers.Dropout(head.dropout)(inputs)
    for layer in head.dense:
        outputs = keras.layers.Dense(layer.units, activation=layer.activation)(outputs)
        outputs = keras.layers.Dropout(layer.dropout)(outputs)
    outputs = keras.layers.Dense(classes, activation="softmax", name="scores")(outputs)
    return keras.Model(inputs, outputs, name="head")


def build_classifier(extractor: keras.Model, head: keras.Model) -> keras.Model:
    """Joins them: [batch, height, width, 3] scaled pixels -> [batch, classes] probabilities."""
    inputs = keras.Input(extractor.input_shape[1:], name="image")
    return keras.Model(inputs, head(extractor(inputs)), name="classifier")
