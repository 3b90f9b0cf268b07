"""Suffixes and classes of which most files were not read."""

from __future__ import annotations

import collections
import posixpath
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from components.image_example_gen.sources import Listing, SourceFile, unread
from components.image_example_gen.verdicts import Row
from serving.names import quoted, some


class Counted(NamedTuple):
    """The numbers of listed files."""

    by_label: collections.Counter[str]
    by_suffix: collections.Counter[str]

    @classmethod
    def of(cls, files: Sequence[SourceFile]) -> Counted:
        """Counts the files of a listing."""
        return cls(
            collections.Counter(file.label for file in files),
            collections.Counter(_suffix(file.name) for file in files),
        )


def notes(listing: Listing, counted: Counted, rejected: list[Row]) -> Iterator[str]:
    """Yields a sentence on suffixes of which no file was read, and one on classes that lost most.

    Args:
      listing: what was found; of its files no more than the numbers are needed.
      counted: these.
      rejected: the rejected files.
    """
    suffixes = unread.by_suffix(listing.unread) + _wholly_rejected(counted, rejected)
    yield from unread.sentences(suffixes)
    found = counted.by_label.copy()
    lost = collections.Counter(row["label"] for row in rejected)
    for label, numbers in listing.unread.items():
        found[label] += sum(numbers.values())
        lost[label] += sum(numbers.values())
    most = [
        f"{quoted(label)} ({count} of {found[label]} files)"
        for label, count in sorted(lost.items())
        if 2 * count > found[label] > 0
    ]
    if most:
        yield f"Most of class{'es' if len(most) > 1 else ''} {some(most)} was not read."


def _wholly_rejected(counted: Counted, rejected: list[Row]) -> collections.Counter[str]:
    """Returns the numbers of rejected files by suffix, where no file of that suffix was read."""
    found = counted.by_suffix
    lost = collections.Counter(_suffix(row["file"]) for row in rejected)
    return collections.Counter(
        {suffix: number for suffix, number in lost.items() if suffix and number == found[suffix]}
    )


def _suffix(name: str) -> str:
    return posixpath.splitext(name)[1].lower()
