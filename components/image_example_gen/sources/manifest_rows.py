"""The rows of a manifest that name one picture, made one."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection

from components.errors import DataError, listed
from serving.names import quoted, shown


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """One row, or all rows of one picture."""

    line: int  # the first
    text: str  # the path as it is written
    path: str  # absolute
    labels: tuple[str, ...]  # one, unless rows contradict each other
    split: str | None
    group: str | None
    columns: tuple[tuple[str, str], ...] = ()  # names and values of all others that are not empty


def merged(rows: list[Row], path: str, read: Collection[str]) -> tuple[list[Row], int, list[str]]:
    """Returns a row per picture, how many rows repeat another, and sentences about them.

    Where rows of a picture differ in a column that only a slice of the gate may read, the picture
    has no value in it.

    Args:
      rows: of a whole manifest.
      path: of the manifest, for messages.
      read: the names of the further columns that the ingest or the training reads.

    Raises:
      DataError: rows of one picture differ in split, group or a column that is read.
    """
    pictures: dict[str, Row] = {}
    faults: list[str] = []
    repeated, differing = 0, dict[str, list[str]]()
    for row in rows:
        first = pictures.setdefault(row.path, row)
        if first is row:
            continue
        repeated += row.labels[0] in first.labels
        if fault := _contradiction(first, row, read):
            faults.append(f"line {row.line}: {fault}")
        pictures[row.path] = joined = _joined(first, row)
        for name in dict([*first.columns, *row.columns]).keys() - dict(joined.columns).keys():
            differing.setdefault(name, []).append(row.text)
    if faults:
        raise DataError(
            f"data.source: {shown(path)}{listed(faults)}\nA picture has one of each: correct those "
            "lines."
        )
    return [*pictures.values()], repeated, _told(differing, path)


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


def _told(differing: dict[str, list[str]], path: str) -> list[str]:
    if not differing:
        return []
    names = ", ".join(shown(name) for name in sorted(differing))
    first = next(iter(differing.values()))[0]
    return [
        f"{shown(path)}: rows of one picture, as of {shown(first)}, differ in {names}: these "
        "columns have no value for such a picture."
    ]
