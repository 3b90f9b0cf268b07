"""The form of the candidate's SavedModel, and the files made of it for devices."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from components.settings.base import AtLeastOne, Fraction, Number, Section

Kind = Literal["float16", "int8"]
Precision = Literal["float32", "bfloat16"]
Flip = Literal["horizontal", "vertical"]


def _named_flips(value: Any) -> Any:
    """Reads `true` as both directions, `false` as none."""
    return (["horizontal", "vertical"] if value else []) if isinstance(value, bool) else value


Flips = Annotated[list[Flip], BeforeValidator(_named_flips)]


class Certain(Section):
    """When a prediction is certain: by its score, and by the distance to the training pictures."""

    accuracy: Annotated[Number, Field(gt=0, lt=1)] = 0.95
    """Of the predictions that are certain, the part that is to be right."""
    distance: bool = False
    """Adds the output `distance` [batch] to `serving_default`, too."""


class Served(Section):
    """The form in which the network is served."""

    calibrate: bool = True
    """Divides the logits by a temperature that is fitted on the `eval` split, so that a score is
    the probability to be right. The classes keep their order."""
    certain: Certain | None = None
    """Adds the output `certain` [batch] to the signature `serving_default`."""

    precision: Precision = "float32"
    """In which the backbone computes, and of its weights; the head's is float32."""
    average_flips: Flips = []
    """Scores are the mean over the picture and its flips: one direction takes two passes of the
    network, both take four."""
    training_weights: bool = True
    """Puts the weights into `assets.extra`, too, from which a later training can start."""

    @property
    def plain(self) -> bool:
        """Whether the network is served as it was fitted."""
        return self.precision == "float32" and not self.average_flips

    @field_validator("average_flips")
    @classmethod
    def _each_direction_once(cls, flips: list[Flip]) -> list[Flip]:
        return _once_each(flips)


AS_FITTED = Served()


class Export(Served):
    """The SavedModel's form, and files for phones and small devices that must come close to it."""

    tflite: list[Kind] = []
    """`float16`: weights in half precision; `int8`: weights and activations in 8 bits."""
    calibration_pictures: AtLeastOne = 100
    """Of the training split; the ranges of `int8` activations come from them."""
    check_pictures: AtLeastOne = 200
    """Of the `eval` split, at most; both models predict them."""
    min_agreement: Fraction = 0.95
    """Part of those pictures on which the best class must be the SavedModel's; and, in bfloat16,
    part of up to 200 on which the SavedModel's must be the float32 network's."""
    max_score_difference: Fraction = 0.25
    """By how much the score of any class of any of them may differ."""

    @property
    def served(self) -> Served:
        """The part that decides the SavedModel."""
        return Served(**{name: getattr(self, name) for name in Served.model_fields})

    @field_validator("tflite")
    @classmethod
    def _each_kind_once(cls, kinds: list[Kind]) -> list[Kind]:
        return _once_each(kinds)


def _once_each(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise ValueError("each kind once is allowed")
    return values
