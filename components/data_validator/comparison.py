"""Findings about new data, as pure functions of counts, sizes and anomalies."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from components.data_validator.changes import Changes
from components.settings.data import Validation
from serving.names import quoted, shown, some

_NAMED = 10  # classes or pictures in one finding


@dataclasses.dataclass(frozen=True)
class Finding:
    """A fact about the data that people should know."""

    check: str  # the key of `Validation` that decides on it
    stops: bool
    text: str  # a sentence


def check_changes(changes: Changes, since: str, rules: Validation) -> Iterator[Finding]:
    """Finds classes that have another name and pictures that have another class, came or went."""
    for text in changes.sentences(since):
        renamed = text.startswith("Class ")
        check = "renamed_classes" if renamed else "relabelled"
        stops = getattr(rules, check) == "stop" and (renamed or bool(changes.relabelled))
        yield Finding(check, stops, text)


def compare_classes(
    counts: Mapping[str, int], previous: Mapping[str, int], rules: Validation
) -> Iterator[Finding]:
    """Finds what changed since the last accepted data.

    Args:
      counts: pictures by class; a class without any does not exist.
      previous: the same of the last accepted data.
      rules: what stops.
    """
    gone = [_class(name, n) for name, n in previous.items() if n and not counts.get(name)]
    if gone:
        text = f"Classes that vanished: {_some(gone)}."
        yield _finding("vanished_classes", rules.vanished_classes, text)
    new = [_class(name, n) for name, n in counts.items() if n and not previous.get(name)]
    if new:
        text = f"Classes that are new: {_some(new)}."
        yield _finding("new_classes", rules.new_classes, text)
    name, before, now = largest_drift(counts, previous)
    if abs(now - before) > rules.max_label_drift:
        text = (
            f"The share of class {quoted(name)} went from {100 * before:.1f} % to "
            f"{100 * now:.1f} %, by more than validation.max_label_drift "
            f"({rules.max_label_drift:g})."
        )
        yield _finding("label_drift", rules.label_drift, text)


def largest_drift(
    counts: Mapping[str, int], previous: Mapping[str, int]
) -> tuple[str, float, float]:
    """Returns the class whose share changed most, and that share before and now, in [0, 1].

    The L-infinity distance of TFDV's drift comparator, over the classes that are in both: one
    that came or went has a finding of its own, and would move all other shares.
    """
    both = [name for name in sorted(counts) if counts[name] and previous.get(name)]
    all_before, all_now = (sum(each[name] for name in both) for each in (previous, counts))
    shares = [(name, previous[name] / all_before, counts[name] / all_now) for name in both]
    return max(shares, key=lambda share: abs(share[2] - share[1]), default=("", 0.0, 0.0))


def in_range(height: int, width: int, rules: Validation) -> bool:
    """Checks whether a picture, or the smallest and the largest of many, has a size allowed."""
    largest = rules.max_side or max(height, width)
    return rules.min_side <= min(height, width) and max(height, width) <= largest


def check_sizes(outside: list[str], rules: Validation) -> Iterator[Finding]:
    """Finds pictures out of range, from a description of each."""
    if outside:
        most = "" if rules.max_side is None else f" or over validation.max_side ({rules.max_side})"
        limits = f"under validation.min_side ({rules.min_side}){most}"
        text = f"Pictures with a height or width {limits}: {_some(outside)}."
        yield _finding("sizes", rules.sizes, text)


def check_anomalies(
    anomalies: Iterable[tuple[str, str, str]], rules: Validation
) -> Iterator[Finding]:
    """Finds anomalies, given as (split, feature, description): features that break the schema."""
    for split, feature, description in anomalies:
        text = f"{feature} breaks the schema in the {split} split: {description.rstrip('.')}."
        yield _finding("anomalies", rules.anomalies, text)


def _finding(check: str, reaction: Literal["report", "stop"], text: str) -> Finding:
    return Finding(check, reaction == "stop", text)


def _class(name: str, pictures: int) -> str:
    return f"{quoted(name)} ({pictures} picture{'s' if pictures != 1 else ''})"


def _some(names: list[str]) -> str:
    return some(map(shown, names), _NAMED)
