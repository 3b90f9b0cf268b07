"""Describes faults of a configuration: the key's path, what was found and what is allowed."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Iterator, Sequence
from typing import Any

import pydantic

from components.settings.secret_texts import without_secrets
from pipeline.config_words import EXAMPLES, FORMS, MEANT

# A union's alternatives stand in a fault's path as the name of their type: no key of ours.
_ALTERNATIVE = re.compile(r"str|int|constrained-\w+|list\[.*\]")
_OF_SECTIONS = ("model_type", "model_attributes_type")
_MOST_PLACES = 3  # of a key that stands in other sections


def explain(fault: Any, whole: type[pydantic.BaseModel]) -> str:
    """Returns the line that describes one fault.

    Args:
      fault: one of those that pydantic found.
      whole: the type of the whole configuration.
    """
    path = fault["loc"]
    key = ".".join(str(part) for part in path if not _ALTERNATIVE.fullmatch(str(part)))
    message = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    message = message.removesuffix(".")  # of a whole sentence
    if fault["type"] == "missing":
        return f"{key}: is missing; {_needed(path, whole)}. Add it."
    if fault["type"] == "extra_forbidden":
        return f"{key}: unknown key; {_allowed_keys(path, whole)}."
    if not key:
        return f"{message}."
    found = without_secrets(_without_hidden(fault["input"], path, whole))
    if fault["type"] == "value_error":
        return f"{key}: found {found!r}; {message}."
    if fault["type"] in _OF_SECTIONS:
        keys = ", ".join(_section_at(path, whole).model_fields)
        return f"{key}: found {kind(found)}; a section is needed, with keys of {keys}."
    if fault["type"] == "string_pattern_mismatch":
        pattern = fault["ctx"]["pattern"]
        message = f"{FORMS[pattern]} ({pattern})" if pattern in FORMS else message
    return f"{key}: found {kind(found)}; allowed is {message}{_example(path, whole)}."


def _without_hidden(found: Any, path: Sequence[Any], whole: type[pydantic.BaseModel]) -> Any:
    """Returns a value with `...` for the texts of hidden fields.

    Args:
      found: the value, or a section or list that holds it at any depth.
      path: where it stands.
      whole: the type of the whole configuration.
    """
    if isinstance(found, dict):
        return {key: _without_hidden(found[key], [*path, key], whole) for key in found}
    if isinstance(found, list):
        return [_without_hidden(each, [*path, at], whole) for at, each in enumerate(found)]
    return "..." if isinstance(found, str) and _is_hidden(path, whole) else found


def _is_hidden(path: Sequence[Any], whole: type[pydantic.BaseModel]) -> bool:
    """Checks whether one of the fields on the way has `repr=False`."""
    section: Any = whole
    for part in path:
        field = getattr(section, "model_fields", {}).get(part)
        if field is None:  # an index of a list, a name in a dictionary, a union's alternative
            continue
        if not field.repr:
            return True
        section = _model_in(field.annotation)
    return False


def _needed(path: Sequence[Any], whole: type[pydantic.BaseModel]) -> str:
    """Returns what stands at a key that has no default, with an example or a section's keys."""
    annotation = _section_at(path[:-1], whole).model_fields[path[-1]].annotation
    is_section = isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel)
    return f"a {'section' if is_section else 'value'} is needed{_example(path, whole)}"


def _allowed_keys(path: Sequence[Any], whole: type[pydantic.BaseModel]) -> str:
    allowed = list(_section_at(path[:-1], whole).model_fields)
    meant = _meant(str(path[-1]), _keys_only(path[:-1]), allowed, whole)
    hint = f"did you mean {' or '.join(meant)}? " if meant else ""
    return f"{hint}Allowed here: {', '.join(allowed)}"


def _meant(
    name: str, above: str, allowed: Sequence[str], whole: type[pydantic.BaseModel]
) -> Sequence[str]:
    """Returns the keys that an unknown one may stand for; those of other sections with their path.

    Args:
      name: the unknown key.
      above: its section's path.
      allowed: the section's keys.
      whole: the type of the whole configuration.
    """
    word = name.lower().replace("-", "_")
    elsewhere = MEANT.get(word) or [key for key in _all_keys(whole) if _last(key) == word]
    prefix = f"{above}." if above else ""
    below = [key.removeprefix(prefix) for key in elsewhere if key.startswith(prefix)]
    here = [key for key in below if key in allowed]
    close = [] if word in MEANT else difflib.get_close_matches(word, allowed, n=1)
    if here or close:
        return here[:1] or close
    nearer = [key for key in elsewhere if key.startswith(prefix)]
    return (nearer or elsewhere)[:_MOST_PLACES]


def _all_keys(section: type[pydantic.BaseModel], above: str = "") -> Iterator[str]:
    """Yields the path of every key, those of sections in lists and dictionaries left out."""
    for name, field in section.model_fields.items():
        yield f"{above}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, pydantic.BaseModel):
            yield from _all_keys(field.annotation, f"{above}{name}.")


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _keys_only(path: Sequence[Any]) -> str:
    """Returns a path without the positions in lists and the names of a union's alternatives."""
    keys = [part for part in path if isinstance(part, str) and not _ALTERNATIVE.fullmatch(part)]
    return ".".join(keys)


def _example(path: Sequence[Any], whole: type[pydantic.BaseModel]) -> str:
    """Returns "; for example " and a value of the key, its default where no other is noted."""
    key = _keys_only(path)
    if key not in EXAMPLES and key in _all_keys(whole):
        *above, name = key.split(".")
        default = _section_at(above, whole).model_fields[name].default
        return f"; for example {default}" if _shows_form(default) else ""
    return f"; for example {EXAMPLES[key]}" if key in EXAMPLES else ""


def _shows_form(default: Any) -> bool:
    """Checks whether a default shows the form of a key's values; a word may be one of a few."""
    return isinstance(default, int | float) and not isinstance(default, bool)


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
