"""Files made of the candidate, beside the SavedModel."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from components.settings.base import AtLeastOne, Fraction, Section

Kind = Literal["float16", "int8"]


class Export(Section):
    """Files for phones and small devices, and how close they must come to the SavedModel."""

    tflite: list[Kind] = []
    """`float16`: weights in half precision; `int8`: weights and activations in 8 bits."""
    calibration_pictures: AtLeastOne = 100
    """Of the training split; the ranges of `int8` activations come from them."""
    check_pictures: AtLeastOne = 200
    """Of the `eval` split, at most; both models predict them."""
    min_agreement: Fraction = 0.95
    """Part of those pictures on which the best class must be the SavedModel's."""
    max_score_difference: Fraction = 0.25
    """By how much the score of any class of any of them may differ."""

    @field_validator("tflite")
    @classmethod
    def _once_each(cls, kinds: list[Kind]) -> list[Kind]:
        if len(set(kinds)) < len(kinds):
            raise ValueError("each kind once is allowed")
        return kinds
