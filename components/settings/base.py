"""The base class and number types of the configuration's sections.

A component receives its sections as JSON execution properties, so that TFX's cache sees exactly the
part of the configuration that the component needs; `pipeline.config` composes the whole.
"""

from __future__ import annotations

import contextlib
import math
import typing
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from components.files.paths import absolute


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


def _each_once(values: list[Any]) -> list[Any]:
    if len(set(values)) < len(values):
        raise ValueError("each value may stand there once")
    return values


EachOnce = AfterValidator(_each_once)
"""For a list's type: a value that stands there twice is refused."""


class _Path:
    """Marks a type whose texts are paths, of this machine or with a scheme."""


PATH = _Path()
_NO_PATHS = ("imagenet",)  # words that stand where a path may stand


AnySection = TypeVar("AnySection", bound="Section")


class Section(BaseModel):
    """A section refuses unknown keys and does not turn one type into another."""

    # Pydantic's own errors, which a traceback shows, repeat no value: it may be a secret.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    def resolved(self: AnySection) -> AnySection:
        """Returns a copy whose paths are absolute, for processes in other working folders."""
        found = {
            name: _resolved(getattr(self, name), _is_path([field.annotation, *field.metadata]))
            for name, field in type(self).model_fields.items()
        }
        # A key that stays what it is stays one that was left out.
        changed = {name: new for name, new in found.items() if new != getattr(self, name)}
        return self.model_copy(update=changed)


def _resolved(value: Any, is_path: bool) -> Any:
    if isinstance(value, Section):
        return value.resolved()
    if isinstance(value, list):
        return [_resolved(part, is_path) for part in value]
    if is_path and isinstance(value, str) and value not in _NO_PATHS:
        return absolute(value)
    return value


def _is_path(types: typing.Iterable[Any]) -> bool:
    """Checks whether the mark stands in one of these, as in `Source | list[Source]`."""
    return any(part is PATH or _is_path(typing.get_args(part)) for part in types)
