"""A second view of a model: the same layers and weights, computed in another precision and cheaper.

The network itself stays as `keras.applications` makes it, in single precision: it is what is saved,
exported, gated and served. Phases and passes over frozen layers run its twin, in which

- layers compute in half precision where the device multiplies in it, with float32 variables;
- a convolution and the frozen BatchNormalization behind it are one convolution: with fixed
  statistics that only scales and shifts, so it scales the kernel instead of whole maps.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from components.model import kernel_gradient
from components.model.foldable import foldable
from components.model.inner_layers import with_inner

FLOAT32 = "float32"


def twin(model: keras.Model, precision: str, constant: bool = False) -> keras.Model:
    """Returns a model of the same graph that shares the weights of a model.

    Args:
      model: a functional one. Where a BatchNormalization in it is not trainable by now, it may be
        folded.
      precision: float32, bfloat16 or float16: in which layers compute. Variables stay as they are.
      constant: the kernels of folded convolutions are constants, scaled and in `precision`: the
        weights that the model has now.

    Returns:
      A model with the same inputs; its outputs have the type of `precision`, or are float32 where
      a layer that is made of others returns them. Of a model around another one, as the extractor
      is around the base, only that one computes in it: what pools its maps does so in float32.
    """
    outer = FLOAT32 if any(isinstance(each, keras.Model) for each in model.layers) else precision
    policy = outer if outer == FLOAT32 else f"mixed_{outer}"
    folded = {name: after for name, after in foldable(model).items() if not after.trainable}
    gone = {id(normalization) for normalization in folded.values()}
    convolutions = {id(model.get_layer(name)) for name in folded}

    def clone(operation: Any) -> Any:
        # A chain, as ConvNeXt has some: small, and computed as it is.
        if isinstance(operation, keras.Model) and not isinstance(operation, keras.Sequential):
            return twin(operation, precision, constant)
        if id(operation) in gone:
            return keras.layers.Identity(name=operation.name, dtype=policy)
        if id(operation) in convolutions:
            layer = _Folded(operation, folded[operation.name], policy)
            return _Constant(layer, policy) if constant else layer
        if isinstance(operation, keras.Layer):
            kind = _called_as(type(operation))
            return kind(operation, FLOAT32 if _made_of_layers(operation) else policy)
        return type(operation).from_config(operation.get_config())  # as `x + 3` in a model

    return keras.models.clone_model(
        model,
        clone_function=clone,
        call_function=_call,
    )


def _call(layer: Any, *args: Any, **kwargs: Any) -> Any:
    # Keras remembers `mask=None` of layers that know masks, which others do not take.
    return layer(*args, **{name: value for name, value in kwargs.items() if value is not None})


def forward(model: keras.Model, precision: str) -> Callable[[tf.Tensor], Any]:
    """Returns a frozen model as a fast function: pixels -> its outputs, float32.

    It holds the weights that the model has now, as constants: what follows from them alone is
    computed once and not for each batch. Those of folded convolutions, nearly all of them, are
    scaled and cast before it is traced: TensorFlow copies a graph's constants several times. It is
    traced once, for batches of any size.
    """
    fast = twin(model, precision, constant=True)
    weights = [
        [variable.numpy() for variable in variables]
        for variables in (fast.trainable_variables, fast.non_trainable_variables)
    ]

    def run(inputs: tf.Tensor) -> Any:
        constants = [[tf.constant(value) for value in values] for values in weights]
        outputs, _ = fast.stateless_call(*constants, inputs, training=False)
        return tf.nest.map_structure(lambda tensor: tf.cast(tensor, tf.float32), outputs)

    # AutoGraph would rewrite the code of Keras first: several seconds, and for nothing.
    pixels = tf.TensorSpec([None, *model.inputs[0].shape[1:]], tf.float32)
    return tf.function(run, input_signature=[pixels], autograph=False)


def _made_of_layers(layer: keras.Layer) -> bool:
    """Checks whether it calls layers of its own, as KerasHub's blocks do.

    These compute by policies of their own, in float32: what such a layer adds to their results must
    be float32, too.
    """
    return len(list(with_inner([layer]))) > 1


class _Same(keras.Layer):
    """Calls a layer of another model, which computes by this one's policy meanwhile.

    A call of its own: the layer itself would become part of two graphs, and its `output` ambiguous.
    """

    def __init__(self, layer: keras.Layer, policy: str):
        super().__init__(name=layer.name, dtype=policy)
        self.layer = layer
        self.built = True

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        args, kwargs = keras.tree.map_structure(_dense, (args, kwargs))
        return super().compute_output_spec(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        before = self.layer.dtype_policy
        self.layer.dtype_policy = self.dtype_policy
        try:
            return self.layer(*args, **kwargs)
        finally:
            self.layer.dtype_policy = before


def _called_as(kind: type[keras.Layer]) -> type[_Same]:
    """Returns `_Same` with the signature of a layer's call.

    Keras tells tensors from other arguments by it: `**kwargs` would be one argument, which may not
    hold both, as those of DINOv3's encoder do.
    """

    @functools.wraps(kind.call)
    def call(self: _Same, *args: Any, **kwargs: Any) -> Any:
        return _Same.call(self, *args, **kwargs)

    return type(_Same.__name__, (_Same,), {"call": call})


def _dense(tensor: Any) -> Any:
    """Returns a symbol without the mark of a sparse one, which `x * 0.5` sets without need.

    No convolution can be called on what is marked so, and the product of that and of a whole map
    would have a wrong shape (Keras 3.15).
    """
    if not isinstance(tensor, keras.KerasTensor):
        return tensor
    return keras.KerasTensor(tensor.shape, tensor.dtype)


class _Folded(keras.Layer):
    """A convolution and the frozen BatchNormalization that alone reads it, as one convolution."""

    def __init__(
        self, convolution: keras.Layer, normalization: keras.layers.BatchNormalization, policy: str
    ):
        # Kernels are scaled before they are cast, hence no autocast.
        super().__init__(name=convolution.name, dtype=policy, autocast=False)
        self.convolution = convolution
        self.normalization = normalization
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        # Keras would call it on a symbol, which some activations mark as sparse without need.
        return self.convolution.compute_output_shape(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        convolve, parts = self.parts()
        return convolve(self._cast(inputs), *parts)

    def parts(self) -> tuple[Callable[..., tf.Tensor], list[tf.Tensor]]:
        """Returns a function of inputs and parts; and these: kernels, one or two, and the shift.

        All are as the layer computes.
        """
        layer, ops = self.convolution, keras.ops
        scale, shift = _scale_and_shift(self.normalization)
        if layer.use_bias:
            shift = shift + scale * layer.bias
        if isinstance(layer, keras.layers.SeparableConv2D):
            run = ops.separable_conv
            kernels = [layer.depthwise_kernel, scale * layer.pointwise_kernel]
        elif isinstance(layer, keras.layers.DepthwiseConv2D):
            run = ops.depthwise_conv
            kernels = [ops.reshape(scale, layer.kernel.shape[-2:]) * layer.kernel]
        else:
            run = ops.conv
            kernels = [scale * layer.kernel]
        arguments = {
            "strides": tuple(layer.strides),
            "padding": layer.padding,
            "data_format": layer.data_format,
            "dilation_rate": layer.dilation_rate,
        }
        if run is ops.conv and kernel_gradient.is_faster(layer, self.compute_dtype):
            run, arguments = kernel_gradient.convolution(layer.padding), {}

        def convolve(inputs: tf.Tensor, *parts: tf.Tensor) -> tf.Tensor:
            return run(inputs, *parts[:-1], **arguments) + parts[-1]

        return convolve, [self._cast(each) for each in (*kernels, shift)]

    def _cast(self, tensor: tf.Tensor) -> tf.Tensor:
        return keras.ops.cast(tensor, self.compute_dtype)


class _Constant(keras.Layer):
    """A folded convolution whose kernels are constants; it has no variables."""

    def __init__(self, layer: _Folded, policy: str):
        super().__init__(name=layer.name, dtype=policy, autocast=False)
        # Neither is a layer, whose variables Keras would count as this one's.
        self._convolve, parts = layer.parts()
        self._shape = layer.compute_output_shape
        self._parts = tuple(map(np.asarray, parts))
        self.built = True

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self._shape(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        inputs = keras.ops.cast(inputs, self.compute_dtype)
        return self._convolve(inputs, *map(tf.constant, self._parts))


def _scale_and_shift(layer: keras.layers.BatchNormalization) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns by what BatchNormalization in inference mode multiplies, and what it adds then."""
    scale = keras.ops.rsqrt(layer.moving_variance + layer.epsilon)
    if layer.scale:
        scale = scale * layer.gamma
    shift = -scale * layer.moving_mean
    if layer.center:
        shift = shift + layer.beta
    return keras.ops.stop_gradient(scale), keras.ops.stop_gradient(shift)
