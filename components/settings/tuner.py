"""The Tuner's search."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from components.settings.base import AtLeastOne, EachOnce, Number, Section
from components.settings.training import Training


def _rising(bounds: list[float]) -> list[float]:
    low, high = bounds
    if low >= high:
        raise ValueError("two numbers are needed, the lower one first")
    return bounds


_Units = Annotated[list[Annotated[int, Field(ge=0, le=16384)]], Field(min_length=2), EachOnce]
_Dropouts = Annotated[
    list[Annotated[Number, Field(ge=0, lt=1)]],
    Field(min_length=2, max_length=2),
    AfterValidator(_rising),
]
_Rates = Annotated[
    list[Annotated[Number, Field(gt=0, le=10)]],
    Field(min_length=2, max_length=2),
    AfterValidator(_rising),
]


class Tuner(Section):
    """A search for the head and the learning rate of phase `frozen`, on cached features.

    What is null stays as it is configured.
    """

    trials: Annotated[int, Field(ge=0, le=1000)] = 0
    """How many heads are fitted at most; 0: nothing is tuned."""
    algorithm: Literal["random", "bayesian", "hyperband"] = "bayesian"
    epochs: AtLeastOne | None = None
    """Of a trial, `hyperband`'s longest ones; null: as many as phase `frozen` has."""
    units: _Units | None = [0, 128, 256, 512, 1024]
    """Tried for each dense layer of the head, or for a first one where it has none; 0: without."""
    dropout: _Dropouts | None = [0.0, 0.6]
    """Lowest and highest, of the pooled features and the dense layers alike."""
    learning_rate: _Rates | None = [0.0001, 0.1]
    """Lowest and highest of phase `frozen`, searched by their logarithm."""

    @model_validator(mode="after")
    def _searches_something(self) -> Tuner:
        if self.units is None and self.dropout is None and self.learning_rate is None:
            raise ValueError(
                "units, dropout and learning_rate are all null: nothing would be tuned; "
                "leave one of them out, or set trials: 0"
            )
        return self

    def check_suits(self, training: Training) -> None:
        """Checks that there are heads to choose from.

        Raises:
          ValueError: there are none.
        """
        if not self.trials:
            return
        if training.frozen.features != "cached" or not training.frozen.epochs:
            raise ValueError(
                f"tuner.trials: found {self.trials}, but there are no cached features to try heads "
                "on; set training.frozen.features: cached (without augmentation) and "
                "training.frozen.epochs to 1 or more, or tuner.trials: 0"
            )
        if training.warm_start:
            raise ValueError(
                f"tuner.trials: found {self.trials}, but with training.warm_start the head is that "
                "of the model served now; set tuner.trials: 0, or warm_start: false"
            )
