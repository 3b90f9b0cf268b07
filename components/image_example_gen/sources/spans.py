"""Spans: folders that come one after another, numbered or by date, of which the newest are read.

As in TFX's ExampleGen, `{SPAN}` and `{VERSION}` in a path stand for numbers and `{YYYY}`, `{MM}`,
`{DD}` for a date. TFX passes one span per artifact on; here a window of several makes one data set.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re

from components.errors import ConfigError
from components.files.entries import View

_DATE = ("YYYY", "MM", "DD")
_DIGITS = {"SPAN": r"\d+", "VERSION": r"\d+", "YYYY": r"\d{4}", "MM": r"\d\d", "DD": r"\d\d"}
_PLACEHOLDER = re.compile(r"\{([A-Za-z]*)\}")


@dataclasses.dataclass(frozen=True, order=True)
class Span:
    """One version of one span."""

    number: int  # of a date YYYYMMDD
    version: int  # 0 where the pattern has none
    path: str

    def __str__(self) -> str:
        return f"{self.number} (version {self.version})" if self.version else f"{self.number}"


def is_pattern(source: str) -> bool:
    """Checks whether a source has placeholders."""
    return bool(_PLACEHOLDER.search(source))


def base_of(pattern: str) -> str:
    """Returns the folder above the first component that has a placeholder."""
    before = pattern[: _PLACEHOLDER.search(pattern).start()]  # type: ignore[union-attr]
    return before.rpartition("/")[0] or "/"


def newest(
    pattern: str, window: int, place: View, last: int | None = None
) -> tuple[list[Span], list[Span]]:
    """Returns the newest version of each of the last `window` spans, and all that was found.

    Later spans than the one numbered `last` are left out.

    Raises:
      ConfigError: the placeholders make no span, nothing matches them, or all are later.
    """
    _check(pattern)
    found = sorted(_found(pattern, place))
    if not found:
        there = ", ".join(sorted(place.names(base_of(pattern)))[:10]) or "nothing"
        raise ConfigError(
            f"data.source: no span matches {pattern}. In {base_of(pattern)} there is: {there}. "
            "Correct the pattern, or add the folder."
        )
    latest = {span.number: span for span in found}
    for span in found:
        if span != latest[span.number] and span.version == latest[span.number].version:
            both = f"{span.path} and {latest[span.number].path}"
            raise ConfigError(
                f"data.source: {both} are the same span, which has one folder. Remove one."
            )
    chosen = [span for span in latest.values() if last is None or span.number <= last][-window:]
    if not chosen:
        raise ConfigError(
            f"data.span: found {last}, but the oldest span of {pattern} is {found[0]}. Name a "
            "later one, or null for the newest."
        )
    return chosen, found


def _check(pattern: str) -> None:
    names = _PLACEHOLDER.findall(pattern)
    dated = [name for name in names if name in _DATE]
    spanned = "SPAN" in names
    whole_date = set(dated) == set(_DATE)
    if set(names) - _DIGITS.keys() or spanned == bool(dated) or (dated and not whole_date):
        raise ConfigError(
            f"data.source: {pattern} has {', '.join(f'{{{name}}}' for name in names)}; allowed are "
            "{SPAN}, or {YYYY}, {MM} and {DD} together, and beside them {VERSION}. Correct the "
            "pattern."
        )


def _found(pattern: str, place: View) -> list[Span]:
    """Goes down one component of the path after another, into the folders that match."""
    base = base_of(pattern)
    below = pattern.removeprefix(base).strip("/").split("/")
    last = max(number for number, part in enumerate(below) if _PLACEHOLDER.search(part))
    found: list[tuple[str, dict[str, str]]] = [(base, {})]
    for part in below[: last + 1]:
        found = [
            (posixpath.join(folder, name), {**known, **match.groupdict()})
            for folder, known in found
            for name in place.names(folder)
            if (match := re.fullmatch(_expression(part, known), name))
        ]
    tail = "/".join(below[last + 1 :])
    spans = [_span(posixpath.join(path, tail) if tail else path, known) for path, known in found]
    return [span for span in spans if _is_there(span.path, place)]


def _is_there(path: str, place: View) -> bool:
    return "*" in path or place.is_folder(path) or place.entry(path) is not None


def _expression(part: str, known: dict[str, str]) -> str:
    """A placeholder stands for the same digits wherever it comes in the path."""
    expression, end = "", 0
    for match in _PLACEHOLDER.finditer(part):
        name = match[1]
        group = f"(?P<{name}>{_DIGITS[name]})" if f"<{name}>" not in expression else f"(?P={name})"
        digits = known.get(name)
        expression += re.escape(part[end : match.start()]) + (digits or group)
        end = match.end()
    return expression + re.escape(part[end:])


def _span(path: str, digits: dict[str, str]) -> Span:
    number = digits.get("SPAN") or "".join(digits[name] for name in _DATE)
    return Span(int(number), int(digits.get("VERSION", "0")), path)
