"""How the network is fitted."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from components.settings.base import AtLeastOne, Count, Number, Positive, Section


class Frozen(Section):
    """The first phase: the base stays as it is, the head learns."""

    epochs: Count = 10
    learning_rate: Positive = 0.005
    optimizer: Literal["adam", "sgd", "rmsprop"] = "adam"
    momentum: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    features: Literal["cached", "end_to_end"] = "cached"
    """`cached`: the base runs once per picture (BottleneckGen); `end_to_end`: in every epoch."""


class Unfrozen(Section):
    """The second phase: the head and the top of the base learn together."""

    epochs: Count = 10
    from_layer: str | Count | None = None
    """The first layer of the base that learns, by name or index; the backbone's own if left out."""
    learning_rate: Positive = 0.0001
    optimizer: Literal["adam", "sgd", "rmsprop"] = "sgd"
    momentum: Annotated[Number, Field(ge=0, lt=1)] = 0.9


class Training(Section):
    """How the network is fitted."""

    batch_size: AtLeastOne = 32
    seed: Count = 0
    class_weights: Literal["balanced"] | None = None
    """`balanced`: a class weighs inversely to its pictures in the training split."""
    frozen: Frozen = Frozen()
    unfrozen: Unfrozen = Unfrozen()

    @model_validator(mode="after")
    def _learns_something(self) -> Training:
        if self.frozen.epochs + self.unfrozen.epochs == 0:
            raise ValueError(
                "frozen.epochs and unfrozen.epochs are both 0: nothing would be trained"
            )
        return self
