"""Cuts a base where it stops being frozen."""

from __future__ import annotations

import keras


def split_at(base: keras.Model, first: int) -> tuple[keras.Model, keras.Model]:
    """Returns the base's layers below index `first` and those from it on, with shared weights.

    Between the two run as many tensors as the layers from `first` on read of those below: one at a
    merge, several within a block of branches. An output of the base that lies below is one of them.
    Where one is of no picture, as DINOv3's positions are, the cut is at the input: all layers stand
    above it, frozen ones, too.

    Args:
      base: a functional model, whose layers stand in an order in which each follows its inputs.
      first: at least 1, as layer 0 is the input.

    Returns:
      bottom: the base's input -> the tensors at the boundary.
      top: those tensors -> the base's output, or outputs.
    """
    below = {id(tensor) for layer in base.layers[:first] for tensor in _flat(layer.output)}
    read = [tensor for layer in base.layers[first:] for tensor in _flat(layer.input)]
    read += base.outputs  # of several, some may lie below
    tensors = list({id(tensor): tensor for tensor in read if id(tensor) in below}.values())
    if any(tensor.shape[0] is not None for tensor in tensors):
        return split_at(base, 1)
    # Keras takes no input as an output, unless a layer lies between.
    outputs = [
        keras.layers.Identity()(tensor) if id(tensor) in below else tensor
        for tensor in base.outputs
    ]
    top = keras.Model(tensors, outputs if len(outputs) > 1 else outputs[0], name="top")
    return keras.Model(base.input, tensors), top


def _flat(tensors: keras.KerasTensor | list[keras.KerasTensor]) -> list[keras.KerasTensor]:
    return tensors if isinstance(tensors, list) else [tensors]
