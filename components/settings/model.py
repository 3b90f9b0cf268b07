"""The network and the size of its pictures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from components.backbones import BACKBONES
from components.settings.base import PATH, AtLeastOne, Number, Section
from components.settings.pictures import TYPE, WHITE, Colour, Range


def _registered(value: str) -> str:
    if value not in BACKBONES:
        raise ValueError(f"unknown backbone; allowed are {', '.join(BACKBONES)}")
    return value


Backbone = Annotated[str, AfterValidator(_registered)]


class Image(Section):
    """The pictures as the network reads them."""

    size: Annotated[list[AtLeastOne], Field(min_length=2, max_length=2)] | None = None
    """Height and width in pixels; the backbone's own size if left out."""
    fit: Literal["stretch", "crop", "pad"] = "stretch"
    """How a picture of another shape fits: distorted, its middle, or whole with black bars."""
    background: Colour = WHITE
    """The colour behind transparent pixels: a name, or #rrggbb in quotes."""
    range: Range = TYPE
    """The values of 16-bit pictures that become black and white: 0 and 65,535 (`type`), the lowest
    and the highest in all pictures of the source (`data`), or these two."""


class Dense(Section):
    """One fully connected layer of the head."""

    units: AtLeastOne
    activation: Literal["relu", "gelu", "elu", "selu", "silu", "tanh", "sigmoid", "linear"] = "relu"
    dropout: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """Fraction of this layer's outputs dropped while training."""


class Head(Section):
    """The layers on the backbone: pooling, dropout, dense layers, softmax."""

    squeeze_excitation: AtLeastOne | None = None
    """Reduction ratio of a squeeze-and-excitation block (Hu et al. 2018) on the base's last feature
    map, before the pooling; null: no such block."""
    pooling: Literal["average", "max", "flatten"] = "average"
    dropout: Annotated[Number, Field(ge=0, lt=1)] = 0.2
    """Fraction of the pooled features dropped while training."""
    dense: list[Dense] = []
    l2: Annotated[Number, Field(ge=0)] = 0.0
    """Weight of the squared weights of the dense layers in the loss."""


class Model(Section):
    """The network."""

    backbone: Backbone = "inception_v3"
    weights: Annotated[str, PATH] | None = "imagenet"
    """`imagenet`, a local file (.weights.h5, .h5, .keras), or null for random ones."""
    head: Head = Head()
