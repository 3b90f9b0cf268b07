"""Finds the BatchNormalization that a convolution before it can compute, too."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterator
from typing import Any

import keras

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


def foldable(model: keras.Model) -> dict[str, keras.layers.BatchNormalization]:
    """Returns, by the name of a linear convolution, the BatchNormalization that alone reads it."""
    readers, calls = _readers(model)
    layers = {layer.name: layer for layer in model.layers}  # without operations, as `x + 3`
    found = {}
    for name in [layer.name for layer in model.layers if type(layer) in CONVOLUTIONS]:
        if len(readers[name]) != 1 or calls[name] != 1 or calls[readers[name][0]] != 1:
            continue
        reader = layers.get(readers[name][0])
        if reader is not None and _fits(layers[name], reader):
            found[name] = reader
    return found


def _fits(layer: keras.Layer, reader: keras.Layer) -> bool:
    return (
        type(reader) is keras.layers.BatchNormalization
        and reader.axis in (-1, 3)
        and layer.data_format == "channels_last"
        and layer.activation is keras.activations.linear
    )


_OUTPUT = ""  # in place of the name of a reader: the model returns it


def _readers(model: keras.Model) -> tuple[dict[str, list[str]], dict[str, int]]:
    """Returns who reads the outputs of each operation of a model, and how often each is called.

    From its configuration: of a layer that is part of several models, `input` is ambiguous.
    """
    readers: dict[str, list[str]] = collections.defaultdict(list)
    calls: dict[str, int] = collections.Counter()
    if isinstance(model, keras.Sequential):  # whose configuration is a plain list
        names = [layer.name for layer in model.layers]
        for name, reader in itertools.zip_longest(names, names[1:], fillvalue=_OUTPUT):
            readers[name].append(reader)
            calls[name] += 1
        return readers, calls
    config = model.get_config()
    for operation in config["layers"]:
        calls[operation["name"]] += len(operation["inbound_nodes"])
        for name in _read_by(operation["inbound_nodes"]):
            readers[name].append(operation["name"])
    for name in _texts(config["output_layers"]):
        readers[name].append(_OUTPUT)
    return readers, calls


def _read_by(node: Any) -> Iterator[str]:
    """Yields the operations whose outputs a node's arguments are; from Keras' own format."""
    if isinstance(node, dict) and "keras_history" in node:
        yield node["keras_history"][0]
    elif isinstance(node, dict | list | tuple):
        for part in node.values() if isinstance(node, dict) else node:
            yield from _read_by(part)


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, list | tuple):
        for part in tree:
            yield from _texts(part)
