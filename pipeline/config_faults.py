"""Describes faults of a configuration: the key's path, what was found and what is allowed."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Sequence
from typing import Any

import pydantic

# A union's alternatives stand in a fault's path as the name of their type: no key of ours.
_ALTERNATIVE = re.compile(r"str|int|constrained-\w+|list\[.*\]")


def explain(fault: Any, whole: type[pydantic.BaseModel]) -> str:
    """Returns the line that describes one fault.

    Args:
      fault: one of those that pydantic found.
      whole: the type of the whole configuration.
    """
    path = fault["loc"]
    key = ".".join(str(part) for part in path if not _ALTERNATIVE.fullmatch(str(part)))
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    if fault["type"] == "missing":
        return f"{key}: is missing."
    if fault["type"] == "extra_forbidden":
        return f"{key}: unknown key; {_allowed_keys(path, whole)}."
    if not key:
        return f"{message}."
    if fault["type"] == "value_error":
        return f"{key}: found {fault['input']!r}; {message}."
    return f"{key}: found {kind(fault['input'])}; allowed is {message}."


def _allowed_keys(path: Sequence[Any], whole: type[pydantic.BaseModel]) -> str:
    section = _section_at(path[:-1], whole)
    allowed = list(section.model_fields)
    close = difflib.get_close_matches(str(path[-1]), allowed, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return f"{hint}Allowed here: {', '.join(allowed)}"


def _section_at(path: Sequence[Any], section: type[pydantic.BaseModel]) -> type[pydantic.BaseModel]:
    for part in path:
        if part in section.model_fields:  # no index of a list, no name in a dictionary
            section = _model_in(section.model_fields[part].annotation)
    return section


def _model_in(annotation: Any) -> type[pydantic.BaseModel]:
    """The section in a field's type: `Dense` in `list[Dense]`, `Step` in `dict[str, Step]`."""
    inner = [part for part in typing.get_args(annotation) if part is not type(None)]
    return _model_in(inner[-1]) if inner else annotation


def kind(value: Any) -> str:
    """Returns a value of a YAML file with the name of its kind: the text 'a', a section."""
    names = {dict: "a section", list: "a list", str: "the text", type(None): "nothing (null)"}
    name = names.get(type(value), "the number" if isinstance(value, int | float) else "")
    return name if isinstance(value, dict) or value is None else f"{name} {value!r}"
