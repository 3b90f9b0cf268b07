"""Reads the configuration's YAML: keys are text as written, and mistakes are shown where they are.

YAML 1.1 reads the keys `yes`, `01`, `null` and `3.10` as something else than text, takes the last
of two equal keys, and lets a few lines stand for more than any memory holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from components.errors import ConfigError
from serving.names import quoted, shown

_MOST_DEEP, _MOST_NODES = 50, 100_000
_MERGE = "tag:yaml.org,2002:merge"
_WIDTH = 80  # of a line that is shown


def parse(text: str, where: str) -> Any:
    """Returns what a text says.

    Args:
      text: YAML.
      where: a file or option, for messages.

    Raises:
      ConfigError: it is not YAML, has a key twice, or is deeper or larger than any configuration.
    """
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _check_size(node)
        _check_keys(node, text, where)
        return loader.construct_document(node)
    except _TooMuch as error:
        raise ConfigError(f"{where}: {error}. Write it without them.") from error
    except yaml.YAMLError as error:
        raise ConfigError(_explained(error, text, where)) from error
    except ValueError as error:  # of a scalar that looks like a date and is none
        raise ConfigError(
            f"{where} is not YAML: {shown(error)}. Put that value in quotes."
        ) from error
    finally:
        if loader:
            loader.dispose()


class _TooMuch(Exception):
    """More than a configuration can hold."""


class _Loader(yaml.SafeLoader):
    """Reads keys as text, and no text that nests without end."""

    depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self.depth += 1
        if self.depth > _MOST_DEEP:
            line = self.peek_event().start_mark.line + 1
            raise _TooMuch(
                f"line {line}: more than {_MOST_DEEP} levels within each other; a configuration "
                "has fewer"
            )
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def compose_mapping_node(self, anchor: Any) -> MappingNode:
        node = super().compose_mapping_node(anchor)
        for key, _ in node.value:
            if isinstance(key, ScalarNode) and key.tag != _MERGE:
                key.tag = self.DEFAULT_SCALAR_TAG
        return node


def _check_size(whole: Node) -> None:
    """Counts the values as if every alias were written out."""
    counts: dict[int, int] = {}

    def count(node: Node) -> int:
        if id(node) not in counts:
            counts[id(node)] = _MOST_NODES  # an alias of what stands around it has no end
            counts[id(node)] = 1 + sum(map(count, _inside(node)))
        return counts[id(node)]

    if count(whole) > _MOST_NODES:
        raise _TooMuch(
            f"more than {_MOST_NODES:,} values, counting what its aliases (*name) repeat; a "
            "configuration has fewer"
        )


def _inside(node: Node) -> Iterator[Node]:
    if isinstance(node, MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, SequenceNode):
        yield from node.value


def _check_keys(whole: Node, text: str, where: str) -> None:
    """Refuses a key that stands twice in a section."""
    done: set[int] = set()
    waiting = [whole]
    while waiting:
        node = waiting.pop()
        if id(node) in done:
            continue
        done.add(id(node))
        waiting.extend(_inside(node))
        if isinstance(node, MappingNode):
            _check_section(node, text, where)


def _check_section(node: MappingNode, text: str, where: str) -> None:
    first: dict[str, Node] = {}
    for key, _ in node.value:
        if not isinstance(key, ScalarNode):
            raise ConfigError(
                f"{where}, line {key.start_mark.line + 1}: a key must be text. Write `KEY: VALUE`."
                f"{_excerpt(text, key.start_mark)}"
            )
        known = first.setdefault(key.value, key)
        if known is not key:
            lines = known.start_mark.line + 1, key.start_mark.line + 1
            raise ConfigError(
                f"{where}: the key {quoted(key.value)} is there twice, in line {lines[0]} and in "
                f"line {lines[1]}. A section has each key once: join the two, or remove one."
                f"{_excerpt(text, known.start_mark)}{_excerpt(text, key.start_mark)}"
            )


def _explained(error: yaml.YAMLError, text: str, where: str) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is None:  # the reader's, of a character that no text file has
        position = getattr(error, "position", 0)
        line = text.count("\n", 0, position if isinstance(position, int) else 0) + 1
        return (
            f"{where} is not YAML: line {line} has a character that is no text. Remove it, or save "
            "the file as UTF-8."
        )
    problem = shown(getattr(error, "problem", None) or error)
    excerpt, hint = _excerpt(text, mark), _hint(error, text, mark)
    return f"{where} is not YAML, line {mark.line + 1}: {problem}.{excerpt}\n{hint}"


def _excerpt(text: str, mark: yaml.Mark) -> str:
    """Returns the line with a mark below the place."""
    lines = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", text)
    line = lines[mark.line] if mark.line < len(lines) else ""
    start = max(0, mark.column - _WIDTH // 2)
    before, after = line[start : mark.column], line[mark.column : start + _WIDTH]
    number = f"{mark.line + 1:5} | "
    spaces = " " * len(shown(before))
    return f"\n{number}{shown(before)}{shown(after)}\n{' ' * 5} | {spaces}^"


def _hint(error: yaml.YAMLError, text: str, mark: yaml.Mark) -> str:
    lines = text.splitlines() or [""]
    line = lines[min(mark.line, len(lines) - 1)]
    problem = f"{getattr(error, 'context', '')} {getattr(error, 'problem', '')}"
    if "\t" in line[: mark.column + 1] or re.match(r" *\t", line):
        return "Indent with spaces: YAML takes no tabs."
    if "quoted scalar" in problem and ("end of stream" in problem or "document" in problem):
        opened = getattr(error, "context_mark", mark).line + 1
        return f"The quote that opens in line {opened} is not closed."
    if "unknown escape" in problem or "escape sequence" in problem:
        return "In double quotes \\ begins an escape; write 'C:\\data' in single quotes."
    if "mapping values are not allowed" in problem:
        return "A value with `: ` in it needs quotes; or the line is indented too far."
    if "cannot start any token" in problem or "undefined alias" in problem:
        return "A value that begins with one of @ ` % * & ! needs quotes."
    if "expected ',' or" in problem:
        return "A bracket is not closed, or a quote stands within a value: quote the whole value."
    if "could not find expected ':'" in problem or "expected <block end>" in problem:
        return "A key needs `: ` behind it, and all keys of a section the same indentation."
    if "single document" in problem:
        return "Keep one document: remove the line `---` and what belongs to another file."
    return "Correct the line at the mark."
