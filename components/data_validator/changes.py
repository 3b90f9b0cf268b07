"""Compares the pictures with the last accepted data. Pure functions.

A picture is what its bytes are: moved to another file it is the same, moved to another class it is
relabelled.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.artifacts.known_pictures import Picture, Pictures
from components.artifacts.packed_texts import Texts
from components.artifacts.rows import Rows
from serving.names import quoted, shown, some

_NAMED, _LISTED = 10, 100
_LEAST = 0.1  # of a class's pictures that have to be known of the other name


@dataclasses.dataclass(frozen=True)
class Changes:
    """From one data set to the next; a picture of a renamed class is not relabelled."""

    relabelled: list[tuple[str, str, str]]  # file now, class before, class now
    added: Sequence[str]  # files
    gone: Sequence[str]
    renamed: dict[str, str]  # class now: class before

    def document(self) -> dict[str, Any]:
        """Returns the counts, and the first hundred files of each kind."""
        rows = [{"file": file, "from": one, "to": other} for file, one, other in self.relabelled]
        listed: dict[str, Sequence[Any]] = {
            "relabelled": rows,
            "added": self.added,
            "gone": self.gone,
        }
        counts = {kind: len(files) for kind, files in listed.items()}
        first = {kind: list(files[:_LISTED]) for kind, files in listed.items()}
        return {**counts, "renamed": self.renamed, "listed": first}

    def sentences(self, since: str) -> list[str]:
        """Returns what people should know; nothing where nothing changed."""
        told = [
            f"Class {quoted(before)} is called {quoted(now)} now, by its pictures."
            for now, before in list(self.renamed.items())[:_NAMED]
        ]
        if (more := len(self.renamed) - _NAMED) > 0:
            told.append(f"{more} more classes are called otherwise now.")
        if not (self.relabelled or self.added or self.gone):
            return told
        counts = (
            f"{len(self.relabelled)} relabelled, {len(self.added)} added, {len(self.gone)} gone "
            f"since the data accepted on {since}"
        )
        return [*told, f"{counts}{self._named()}."]

    def _named(self) -> str:
        rows = [
            f"{shown(file)} ({quoted(before)}, now {quoted(now)})"
            for file, before, now in self.relabelled
        ]
        return f": relabelled {some(rows, _NAMED)}" if rows else ""


def compare(before: Sequence[Picture], now: Sequence[Picture]) -> Changes:
    """Returns the changes from one data set to the next.

    Of equal pictures as many are the same as there are in both; none of a data set has two classes.
    """
    then, here = (Pictures.of(side).rows.by("file", "label") for side in (before, now))
    key_then, key_here = _matched(then, here)
    _, at_then, at_here = np.intersect1d(key_then, key_here, return_indices=True)
    label_then, labels_then = then.shared("label")
    label_here, labels_here = here.shared("label")
    names = {name: at for at, name in enumerate(labels_here)}
    as_here = np.array([*(names.get(name, -1) for name in labels_then), -1], np.int64)[label_then]
    differ = np.flatnonzero(as_here[at_then] != label_here[at_here])
    moved = [
        (row["file"], labels_then[one], row["label"])
        for row, one in zip(
            here.take(at_here[differ]), label_then[at_then[differ]].tolist(), strict=True
        )
    ]
    counts_then, counts_here = _counts(label_then, labels_then), _counts(label_here, labels_here)
    renamed = _renamed(moved, counts_then, counts_here)
    relabelled = [row for row in moved if renamed.get(row[2]) != row[1]]
    added, gone = _others(here, at_here), _others(then, at_then)
    return Changes(sorted(relabelled), added, gone, renamed)


def former_names(
    renamed: Mapping[str, str], known: Mapping[str, list[str]], classes: Sequence[str]
) -> dict[str, list[str]]:
    """Returns the earlier names of each class that has any, the latest first.

    Args:
      renamed: class now: class before.
      known: the earlier names as of the data before.
      classes: of the data now.
    """
    found = {
        name: [renamed[name], *known.get(renamed[name], [])]
        if name in renamed
        else known.get(name, [])
        for name in classes
    }
    return {name: names for name, names in found.items() if names}


def _renamed(
    moved: list[tuple[str, str, str]], before: Mapping[str, int], now: Mapping[str, int]
) -> dict[str, str]:
    """Finds vanished classes whose pictures make most of what is known of a new one."""
    pairs = collections.Counter(
        (one, other) for _, one, other in moved if one not in now and other not in before
    )
    left = collections.Counter(one for _, one, _ in moved)
    came = collections.Counter(other for _, _, other in moved)
    found: dict[str, str] = {}
    for (one, other), number in pairs.most_common():
        most = number * 2 > max(left[one], came[other])
        enough = number >= _LEAST * min(before[one], now[other])
        if most and enough:
            found[other] = one
    return found


def _matched(*sides: Rows) -> list[np.ndarray]:
    """Returns keys that are equal where content, and its number among equal ones, is: [rows]."""
    content, _ = Rows.joined([side.table.select(["sha256"]) for side in sides if len(side)]).codes(
        "sha256"
    )
    ends = np.cumsum([len(side) for side in sides])
    return [
        codes * (len(content) + 1) + _occurrence(codes) for codes in np.split(content, ends[:-1])
    ]


def _occurrence(codes: np.ndarray) -> np.ndarray:
    """Returns how many rows before each have its code: [rows] int64."""
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    found = np.empty(len(codes), np.int64)
    found[order] = np.arange(len(codes)) - np.searchsorted(ordered, ordered)
    return found


def _others(rows: Rows, matched: np.ndarray) -> Texts:
    """Returns the files of the rows that are not matched; the rows are sorted by them."""
    left = np.ones(len(rows), bool)
    left[matched] = False
    return Texts(rows.where(left).column("file"))


def _counts(codes: np.ndarray, labels: list[str]) -> dict[str, int]:
    return dict(zip(labels, np.bincount(codes, minlength=len(labels)).tolist(), strict=True))
