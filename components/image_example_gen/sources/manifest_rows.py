"""The rows of a manifest that name one picture, made one."""

from __future__ import annotations

import dataclasses
import itertools
import operator
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from components.errors import DataError, listed
from components.packed import Compressed, ordered
from serving.names import quoted, shown


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row, or all rows of one picture."""

    line: int  # the first
    text: str  # the path as it is written
    path: str  # absolute
    labels: tuple[str, ...]  # one, unless rows contradict each other
    split: str | None
    group: str | None
    columns: tuple[tuple[str, str], ...] = ()  # names and values of all others that are not empty

    def as_row(self) -> tuple[Any, ...]:
        """Returns its values, for `of_row`."""
        values: tuple[Any, ...] = _values(self)
        return values

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Row:
        """Returns the row of the values that `as_row` returned."""
        return cls(**dict(zip(cls.__slots__, row, strict=True)))


_values = operator.attrgetter(*Row.__slots__)


def merged(
    rows: Iterable[Row], path: str, read: Collection[str]
) -> tuple[Sequence[Row], int, list[str]]:
    """Returns a row per picture by its path, how many rows repeat another, and notes on them.

    Where rows of a picture differ in a column that only a slice of the gate may read, the picture
    has no value in it.

    Args:
      rows: of a whole manifest.
      path: of the manifest, for messages.
      read: the names of the further columns that the ingest or the training reads.

    Raises:
      DataError: rows of one picture differ in split, group or a column that is read.
    """
    faults: dict[int, str] = {}  # by line
    repeats = 0
    differing: dict[str, Row] = {}  # the first row by the column

    def pictures() -> Iterator[Row]:
        nonlocal repeats
        by_path = ordered(Row, rows, lambda row: (row.path, row.line))
        for _, same in itertools.groupby(by_path, lambda row: row.path):
            joined, *others = same
            for row in others:
                repeats += row.labels[0] in joined.labels
                if fault := _contradiction(joined, row, read):
                    faults[row.line] = f"line {row.line}: {fault}"
                before, joined = joined, _joined(joined, row)
                lost = {*before.columns, *row.columns} - {*joined.columns}
                for name, _ in lost:
                    differing[name] = min(differing.get(name, row), row, key=lambda row: row.line)
            yield joined

    found = Compressed(Row, pictures())
    if faults:
        told = listed([faults[line] for line in sorted(faults)])
        raise DataError(
            f"data.source: {shown(path)}{told}\nA picture has one of each: correct those lines."
        )
    return found, repeats, _told(differing, path)


def _contradiction(first: Row, row: Row, read: Collection[str]) -> str:
    one_has, other_has = dict(first.columns), dict(row.columns)
    for name, one, other in (
        ("split", first.split, row.split),
        ("group", first.group, row.group),
        *((name, one_has.get(name), other_has.get(name)) for name in read),
    ):
        if one != other:
            return (
                f"another {shown(name)} ({shown(other or 'none')}) than in line {first.line} "
                f"({shown(one or 'none')}) for {quoted(row.text)}"
            )
    return ""


def _joined(first: Row, row: Row) -> Row:
    """Returns what two rows of one picture agree in."""
    columns = tuple(pair for pair in first.columns if pair in row.columns)
    labels = tuple(dict.fromkeys([*first.labels, *row.labels]))
    return dataclasses.replace(first, labels=labels, columns=columns)


def _told(differing: dict[str, Row], path: str) -> list[str]:
    if not differing:
        return []
    names = ", ".join(shown(name) for name in sorted(differing))
    first = min(differing.values(), key=lambda row: row.line).text
    return [
        f"{shown(path)}: rows of one picture, as of {shown(first)}, differ in {names}: these "
        "columns have no value for such a picture."
    ]
