"""The base up to the highest layer whose output the head reads."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import keras

from components.errors import ConfigError


def cut_base(base: keras.Model, features: Sequence[str] | None) -> keras.Model:
    """Returns the base whose outputs are those of the layers in `features`, the highest first.

    Layers above the highest are no part of it. The layers are the given base's own, with its
    weights. Without `features` it is the given base.

    Args:
      base: a backbone without its top.
      features: names of layers whose outputs are maps [batch, rows, columns, channels].

    Raises:
      ConfigError: the base has no such layer, or its output is no map.
    """
    if not features:
        return base
    names = [layer.name for layer in base.layers]
    for name in features:
        _check(name, base)
    highest_first = sorted(features, key=names.index, reverse=True)
    outputs = [base.get_layer(name).output for name in highest_first]
    return keras.Model(base.input, outputs if len(outputs) > 1 else outputs[0], name=base.name)


def _check(name: str, base: keras.Model) -> None:
    maps = [layer.name for layer in base.layers[1:] if _is_map(layer)]
    if name in maps:
        return
    close = difflib.get_close_matches(name, maps, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    found = any(layer.name == name for layer in base.layers)
    fault = f"the output of {name!r} is no feature map" if found else f"no layer {name!r}"
    raise ConfigError(
        f"model.features: {base.name}: {fault}; allowed are names such as "
        f"{', '.join(maps[-8:])}.{hint} Name such ones."
    )


def _is_map(layer: keras.Layer) -> bool:
    output = layer.output
    return not isinstance(output, list) and len(output.shape) == 4
