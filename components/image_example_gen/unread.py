"""Suffixes and classes of which most files were not read."""

from __future__ import annotations

import collections
from collections.abc import Iterator

from components.image_example_gen.sources import Listing, unread
from components.image_example_gen.verdicts import Row
from serving.names import quoted, some


def notes(listing: Listing, rejected: list[Row]) -> Iterator[str]:
    """Yields a sentence on suffixes of which no file was read, and one on classes that lost most.

    Args:
      listing: what was found; of its files no more than the counts are needed.
      rejected: the rejected files.
    """
    suffixes = unread.by_suffix(listing.unread) + _wholly_rejected(listing, rejected)
    yield from unread.sentences(suffixes)
    found = listing.counts.by_label
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


def _wholly_rejected(listing: Listing, rejected: list[Row]) -> collections.Counter[str]:
    """Returns the numbers of rejected files by suffix, where no file of that suffix was read."""
    found = listing.counts.by_suffix
    lost = collections.Counter(unread.suffix_of(row["file"]) for row in rejected)
    return collections.Counter(
        {
            suffix: number
            for suffix, number in lost.items()
            if suffix and number == found.get(suffix)
        }
    )
