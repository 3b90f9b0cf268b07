"""Which rows of two compared runs are shown: those that differ, at most ten of a kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from components.errors import MOST_LINES

Row = tuple[str, Any, Any]
"""A key, and its values in the two runs."""


def shortened(rows: Iterable[Row]) -> tuple[list[Row], list[str]]:
    """Returns the rows to show in their order, and a sentence for each kind of those left out.

    Of a kind, as the recall of 99 classes, the rows with the greatest change are shown.
    """
    rows = list(rows)
    differing = [row for row in rows if row[1] != row[2]]
    kept = [row for kind in _kinds(differing) for row in kind[:MOST_LINES]]
    keys = {key for key, *_ in kept}
    notes = [
        f"{_kind(kind[0])}: {len(kind) - MOST_LINES} more differ"
        for kind in _kinds(differing)
        if len(kind) > MOST_LINES
    ]
    if same := len(rows) - len(differing):
        notes.append(f"{same} rows are the same in both runs")
    return [row for row in differing if row[0] in keys], notes


def _kinds(rows: list[Row]) -> Iterator[list[Row]]:
    """Yields the rows of each kind, the greatest change first."""
    by_kind: dict[str, list[Row]] = {}
    for row in rows:
        by_kind.setdefault(_kind(row), []).append(row)
    for kind in by_kind.values():
        yield sorted(kind, key=_change, reverse=True)


def _kind(row: Row) -> str:
    """`recall` of `recall (cats)`."""
    return row[0].partition(" (")[0]


def _change(row: Row) -> float:
    """Returns how far two numbers are apart; what has no number in both runs comes first."""
    _, one, other = row
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return abs(other - one) if numbers else float("inf")
