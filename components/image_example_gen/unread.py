"""Suffixes and classes of which most files were not read."""

from __future__ import annotations

import collections
import posixpath
from collections.abc import Iterator

from components.image_example_gen.sources import Listing
from components.image_example_gen.verdicts import Row


def notes(listing: Listing, rejected: list[Row]) -> Iterator[str]:
    """Yields a sentence per suffix of which all files were rejected, and per class that lost most.

    Args:
      listing: what was found.
      rejected: the rejected files.
    """
    yield from _suffixes(listing, rejected)
    found = collections.Counter(file.label for file in listing.files)
    lost = collections.Counter(row["label"] for row in rejected)
    for label, unread in listing.unread.items():
        found[label] += sum(unread.values())
        lost[label] += sum(unread.values())
    for label, count in sorted(lost.items()):
        if 2 * count > found[label] > 0:
            yield f"Most of class {label!r} was not read: {count} of {found[label]} files."


def _suffixes(listing: Listing, rejected: list[Row]) -> Iterator[str]:
    """Rejected files of a suffix of which no file could be read point to the format."""
    found = collections.Counter(_suffix(file.name) for file in listing.files)
    faults = collections.Counter(_suffix(row["file"]) for row in rejected)
    wholly = [f"{count} {name}" for name, count in faults.items() if count == found[name] and name]
    if wholly:
        yield f"Of these suffixes no file could be read: {', '.join(wholly)}."


def _suffix(name: str) -> str:
    return posixpath.splitext(name)[1].lower()
