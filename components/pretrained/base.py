"""A backbone without its top, with the weights of a file or random ones."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING

from components.backbones import BACKBONES
from components.errors import ConfigError

if TYPE_CHECKING:
    import keras


def build_base(name: str, size: list[int], weights: Path | None) -> keras.Model:
    """Builds the backbone without its top, for [batch, height, width, 3] float32 scaled pixels.

    Args:
      name: a key of `BACKBONES`.
      size: height and width in pixels.
      weights: a file in one of Keras' formats, or None for random weights.

    Raises:
      ConfigError: the file is missing or holds the weights of another network.
    """
    base = BACKBONES[name].constructor(include_top=False, weights=None, input_shape=(*size, 3))
    if weights is not None:
        _load(base, name, weights)
    return base


def _load(base: keras.Model, name: str, weights: Path) -> None:
    import keras

    from components.pretrained.weight_differences import first_difference

    if not weights.is_file():
        raise ConfigError(f"model.weights: no file {weights}. Name an existing file or `imagenet`.")
    try:
        if weights.suffix == ".keras":
            base.set_weights(keras.models.load_model(weights, compile=False).get_weights())
        else:
            base.load_weights(weights)
    except (ValueError, OSError, KeyError) as error:
        fault = first_difference(base, weights) or " ".join(str(error).split())[:300]
        raise ConfigError(
            f"model.weights: {weights} does not hold the weights of {name} without its top "
            f"({fault}). Name a file saved from that network."
        ) from error


def first_unfrozen(base: keras.Model, name: str, from_layer: str | int | None) -> int:
    """Returns the index of the base's first trainable layer in phase `unfrozen`.

    Raises:
      ConfigError: the base has no such layer.
    """
    names = [layer.name for layer in base.layers]
    wanted = BACKBONES[name].from_layer if from_layer is None else from_layer
    if isinstance(wanted, int) and wanted < len(names):
        return wanted
    if wanted in names:
        return names.index(wanted)
    close = difflib.get_close_matches(str(wanted), names, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise ConfigError(
        f"training.unfrozen.from_layer: {name} has no layer {wanted!r}; allowed are 0 to "
        f"{len(names) - 1} or a name such as {', '.join(names[-8:])}.{hint} Set one of them."
    )
