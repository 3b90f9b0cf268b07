"""Random changes of training pictures."""

from __future__ import annotations

import itertools
from typing import Annotated, Literal

from pydantic import Field

from components.settings.base import Fraction, Number, Section


class RandAugment(Section):
    """Keras' `RandAugment` (Cubuk et al. 2019)."""

    layers: Annotated[int, Field(ge=0, le=10)] = 0
    """Random changes per picture; 0: none."""
    magnitude: Fraction = 0.5


class Augmentation(Section):
    """Changes of the training pictures, drawn anew in every epoch; 0 and false are none."""

    rotation: Annotated[Number, Field(ge=0, le=180)] = 0.0
    """Up to as many degrees either way."""
    shift: Fraction = 0.0
    """Up to this fraction of height and width."""
    shear: Fraction = 0.0
    """Up to this fraction, in either direction."""
    zoom: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """Up to this fraction in or out."""
    horizontal_flip: bool = False
    vertical_flip: bool = False
    contrast: Fraction = 0.0
    brightness: Fraction = 0.0
    fill_mode: Literal["nearest", "reflect", "wrap", "constant"] = "nearest"
    """The pixels where a changed picture has none; `constant` is black."""
    rand_augment: RandAugment = RandAugment()
    mixup: Annotated[Number, Field(ge=0, le=1)] = 0.0
    """Alpha of MixUp (Zhang et al. 2018): pairs of pictures and of their labels are blended."""
    cutmix: Annotated[Number, Field(ge=0, le=1)] = 0.0
    """Alpha of CutMix (Yun et al. 2019): a part of a picture comes from another one."""

    @property
    def active(self) -> bool:
        """Whether anything is changed."""
        return self != Augmentation(fill_mode=self.fill_mode)

    def flips(self) -> list[list[int]] | None:
        """Returns the axes of [batch, height, width, channels] to flip for each variant.

        The first variant is the picture itself. None where more than flips changes the pictures:
        their variants can't be counted.
        """
        axes = {1: self.vertical_flip, 2: self.horizontal_flip}
        if self.model_copy(update={"vertical_flip": False, "horizontal_flip": False}).active:
            return None
        chosen = [axis for axis, is_flipped in axes.items() if is_flipped]
        lengths = range(len(chosen) + 1)
        return [list(some) for n in lengths for some in itertools.combinations(chosen, n)]
