"""The network and the size of its pictures."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from components.backbones import BACKBONES
from components.errors import ConfigError
from components.hub_backbones import PREFIX
from components.settings.base import PATH, AtLeastOne, EachOnce, Number, Section
from components.settings.pictures import TYPE, WHITE, Colour, Range


def _registered(value: str) -> str:
    if value not in BACKBONES:
        raise ValueError(
            f"unknown backbone; allowed are {', '.join(BACKBONES)}, and {PREFIX}FOLDER"
        )
    try:
        return BACKBONES[value].resolved(value)
    except ConfigError as error:
        raise ValueError(str(error)) from error


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


_DROPOUT = 0.2
_PENALTY = 0.03
"""Found on five real sets, held against a logistic regression (benchmark `heads`)."""


class Head(Section):
    """The layers on the backbone: pooling, dropout, dense layers, softmax."""

    squeeze_excitation: AtLeastOne | None = None
    """Reduction ratio of a squeeze-and-excitation block (Hu et al. 2018) on the base's last feature
    map, before the pooling; null: no such block."""
    pooling: Literal["average", "max", "flatten"] = "average"
    dropout: Annotated[Number, Field(ge=0, lt=1)] | None = None
    """Fraction of the pooled features dropped while training; null: 0 where `l2` has a part in the
    loss by default, else 0.2."""
    dense: list[Dense] = []
    l2: Annotated[Number, Field(ge=0)] | None = None
    """Weight of the squared weights of the dense layers in the loss; null: 0.03 of the softmax's
    where it reads the standardised features itself, else 0."""
    standardize: bool | None = None
    """Whether each feature is read less its mean and over its deviation in the training split;
    null: where phase `frozen` trains a head on pooled features. Elsewhere these change so much
    that the statistics of the first ones would not do."""

    @property
    def penalty(self) -> float:
        """The weight of the squared weights in the loss: `l2`, or what such a head has."""
        if self.l2 is not None:
            return self.l2
        return _PENALTY if self._is_regression else 0.0

    @property
    def dropped(self) -> float:
        """The fraction of the pooled features dropped: `dropout`, or what such a head has."""
        if self.dropout is not None:
            return self.dropout
        return 0.0 if self._is_regression and self.l2 is None else _DROPOUT

    @property
    def _is_regression(self) -> bool:
        """Whether it is a softmax on standardised features, which needs a penalty."""
        return bool(self.standardize) and not self.dense

    def fitted_to(self, frozen_epochs: int) -> Head:
        """Returns the head with `standardize` decided, for so many epochs of phase `frozen`."""
        if self.standardize is not None:
            return self
        pooled = self.pooling != "flatten" and self.squeeze_excitation is None
        decided = self.model_copy(update={"standardize": pooled and frozen_epochs > 0})
        decided.model_fields_set.discard("standardize")  # which nobody has set
        return decided

    @model_validator(mode="after")
    def _reads_a_vector(self) -> Head:
        if self.standardize and self.squeeze_excitation is not None:
            raise ValueError(
                "standardize: found true, but with squeeze_excitation the head reads a map, not "
                "pooled features; leave out one of them"
            )
        return self


Layers = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1), EachOnce]


class Model(Section):
    """The network."""

    backbone: Backbone = "inception_v3"
    weights: Annotated[str, PATH] | None = "imagenet"
    """`imagenet`, a local file (.weights.h5, .h5, .keras), or null for random ones."""
    features: Layers | None = None
    """Names of the base's layers whose outputs, each average-pooled and all concatenated, the head
    reads; the base ends at the highest of them. null: its last map alone, by `head.pooling`."""
    head: Head = Head()

    @model_validator(mode="after")
    def _pools_each_layer(self) -> Model:
        head = self.head
        if self.features and (head.pooling != "average" or head.squeeze_excitation is not None):
            raise ValueError(
                "features: each layer's output is average-pooled; set head.pooling: average and "
                "head.squeeze_excitation: null, or features: null"
            )
        return self
