"""A network with what layers of KerasHub have and those of `keras.applications` have not."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

SIDE = 8


class Block(keras.layers.Layer):
    """Layers in a layer, a BatchNormalization among them, as in the blocks of its EfficientNet.

    Each one that is made anew has a longer name, as in its MobileNet.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.name += "_0"
        self.convolution = keras.layers.Conv2D(4, 3, padding="same")
        self.normalizations = [keras.layers.BatchNormalization()]

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.convolution.build(shape)
        self.normalizations[0].build((*shape[:-1], 4))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.normalizations[0](self.convolution(inputs), training=training)


class Positions(keras.layers.Layer):
    """Returns tensors that no picture changes, as DINOv3's rotary embedding."""

    def call(self, inputs: Any) -> tuple[Any, Any]:
        places = ops.reshape(ops.arange(SIDE, dtype="float32"), (SIDE, 1))
        return ops.cos(places), ops.sin(places)


class Encoder(keras.layers.Layer):
    """Takes tensors and a number by name, returns a tuple, as DINOv3's encoder."""

    def call(self, inputs: Any, positions: Any = None, rows: int = 0) -> tuple[Any, dict[str, Any]]:
        cos, sin = positions
        turned = inputs[:, rows:] * cos + sin
        return turned, {"stage1": turned}


def hub_like() -> keras.Model:
    """Returns [batch, 8, 8, 3] -> [batch, 7, 8, 4]."""
    inputs = keras.Input((SIDE, SIDE, 3))
    positions = Positions(name="positions")(inputs)
    outputs = Block(name="block")(inputs)
    outputs, _ = Encoder(name="encoder")(outputs, positions=positions, rows=1)
    return keras.Model(inputs, keras.layers.ReLU(name="last")(outputs))
