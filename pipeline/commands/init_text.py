"""A commented configuration: YAML whose keys stand with their reasons. A pure function."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from pipeline.commands.init_choices import Choice
from serving.names import shown

_WIDTH = 100
Tree = dict[str, "Choice | Tree"]


def as_yaml(choices: Iterable[Choice], header: Iterable[str]) -> str:
    """Returns the file's text: keys that stay as they are by default are comments alone."""
    tree: Tree = {}
    for choice in choices:
        *sections, key = choice.key.split(".")
        inside: Any = tree
        for section in sections:
            inside = inside.setdefault(section, {})
        inside[key] = choice
    lines = [f"# {line}" for line in header]
    for name, node in tree.items():
        lines += ["", *_lines(name, node, "")]
    return "\n".join(lines) + "\n"


def _lines(name: str, node: Choice | Tree, indent: str) -> Iterator[str]:
    """Yields the lines of a key, or of a section with all in it."""
    if isinstance(node, Choice):
        mark = "# " if node.default else ""
        for line in textwrap.wrap(
            shown(node.reason), _WIDTH - len(indent) - 2, break_long_words=False
        ):
            yield f"{indent}# {line}"
        yield f"{indent}{mark}{name}: {_value(node.value)}"
        return
    yield f"{indent}{'' if _has_keys(node) else '# '}{name}:"
    for key, inside in node.items():
        yield from _lines(key, inside, f"{indent}  ")


def _has_keys(node: Mapping[str, Choice | Tree]) -> bool:
    return any(
        not inside.default if isinstance(inside, Choice) else _has_keys(inside)
        for inside in node.values()
    )


def _value(value: Any) -> str:
    text = yaml.safe_dump(
        value, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True
    )
    return str(text).removesuffix("\n").removesuffix("\n...")
