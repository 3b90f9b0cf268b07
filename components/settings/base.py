"""The base class and number types of the configuration's sections.

A component receives its sections as JSON execution properties, so that TFX's cache sees exactly the
part of the configuration that the component needs; `pipeline.config` composes the whole.
"""

from __future__ import annotations

import contextlib
import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def _read_number(value: Any) -> Any:
    """Reads `1e-4` (no point) as a number; for YAML 1.1 it is text."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return float(value)
    return value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("a finite number is needed")
    return value


Number = Annotated[float, BeforeValidator(_read_number), AfterValidator(_finite)]
Positive = Annotated[Number, Field(gt=0)]
Fraction = Annotated[Number, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A section refuses unknown keys and does not turn one type into another."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
