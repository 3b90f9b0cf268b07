"""Makes the copy of a network that is served: BatchNormalization is in the kernels before it."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from components.model.foldable import foldable
from components.model.network import Network

_NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.Normalization,
)

Weights = list[np.ndarray]


def inference_copy(network: Network, precision: str = "float32") -> keras.Model:
    """Returns the classifier for inference, with weights of its own.

    The base's BatchNormalization is folded into the convolutions before it, and its layers compute
    in `precision`, with weights of that type. Pooling and head compute in float32, whatever they
    were trained in.

    Args:
      network: the fitted one, which stays as it is.
      precision: of the base: `float32` or `bfloat16`.

    Returns:
      [batch, height, width, 3] float32 scaled pixels -> [batch, classes] float32 probabilities.
    """

    def copied(layer: keras.Layer) -> keras.Layer:
        if layer is network.base:
            return folded(layer, precision)
        if isinstance(layer, keras.Model):
            return _copy(layer, copied, _weights)
        return _made(layer, "float32")

    return _copy(network.classifier, copied, _weights)


def folded(base: keras.Model, precision: str = "float32") -> keras.Model:
    """Returns a copy of the base for inference, whose BatchNormalization is in its convolutions.

    Where there is no convolution directly before it, or another layer reads that, too,
    BatchNormalization stays.
    """
    normalization_of = foldable(base)
    gone = {after.name for after in normalization_of.values()}

    def copied(layer: keras.Layer) -> keras.Layer:
        if isinstance(layer, keras.Model):
            return folded(layer, precision)
        if layer.name in gone:
            return keras.layers.Identity(name=layer.name, dtype=precision)
        if layer.name in normalization_of:
            return _made(layer, precision, use_bias=True)
        # Statistics stay in single precision.
        mixed = precision != "float32" and isinstance(layer, _NORMALIZATIONS)
        return _made(layer, f"mixed_{precision}" if mixed else precision)

    def weights(layer: keras.Layer) -> Weights:
        if layer.name in gone:
            return []
        after = normalization_of.get(layer.name)
        return _weights(layer) if after is None else _folded_weights(layer, after)

    return _copy(base, copied, weights)


def _folded_weights(conv: keras.Layer, after: keras.Layer) -> Weights:
    """Returns the kernels and the bias of the convolution that computes both layers.

    (conv(x) + bias - mean) * scale + beta, where scale = gamma / sqrt(variance + epsilon), is one
    number for each output channel.
    """
    mean, variance = np.float64(after.moving_mean), np.float64(after.moving_variance)
    scale = 1 / np.sqrt(variance + after.epsilon)
    if after.scale:
        scale *= np.asarray(after.gamma, np.float64)
    offset = np.asarray(after.beta, np.float64) if after.center else 0.0
    *kernels, last = _weights(conv)[: -1 if conv.use_bias else None]
    bias = np.asarray(conv.bias, np.float64) if conv.use_bias else 0.0
    # A depthwise kernel is [height, width, in, multiplier], the others [..., in, out].
    depthwise = isinstance(conv, keras.layers.DepthwiseConv2D)
    last = last * (scale.reshape(last.shape[-2:]) if depthwise else scale)
    return [*kernels, last.astype(np.float32), ((bias - mean) * scale + offset).astype(np.float32)]


def _copy(
    model: keras.Model,
    copied: Callable[[keras.Layer], keras.Layer],
    weights: Callable[[keras.Layer], Weights],
) -> keras.Model:
    """Returns a copy of a model; an inner model must come with its weights."""
    functional = not isinstance(model, keras.Sequential)  # which has no other calls than plain ones
    pairs: list[tuple[keras.Layer, keras.Layer]] = []

    def noted(layer: keras.Layer) -> keras.Layer:
        pairs.append((layer, copied(layer)))
        return pairs[-1][1]

    copy = keras.models.clone_model(
        model, clone_function=noted, call_function=_called if functional else None
    )
    # Not by name: KerasHub's MobileNet adds to the names of layers that are made anew.
    for layer, its_copy in pairs:
        if not isinstance(layer, keras.Model) and getattr(layer, "weights", []):
            its_copy.set_weights(weights(layer))
    copy.trainable = False
    return copy


def _called(layer: keras.Layer, *inputs: keras.KerasTensor, **arguments: object) -> object:
    """Calls a copied layer; what takes BatchNormalization's place has not its arguments."""
    return layer(*inputs, **({} if isinstance(layer, keras.layers.Identity) else arguments))


def _made(layer: keras.Layer, policy: str, **changes: bool) -> keras.Layer:
    if not isinstance(layer, keras.Layer):  # one of `keras.ops`, which computes in what it gets
        return type(layer).from_config(layer.get_config())
    # Of a frozen layer that is made of others, Keras would freeze the outer one alone.
    config = {**layer.get_config(), "dtype": policy, "trainable": True, **changes}
    return type(layer).from_config(config)


def _weights(layer: keras.Layer) -> Weights:
    return [np.asarray(weight) for weight in layer.get_weights()]
