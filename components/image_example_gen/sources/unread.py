"""Files that are pictures by their names, in formats that are not read here."""

from __future__ import annotations

import collections
import posixpath
from collections.abc import Iterable

from serving.names import some
from serving.picture_formats import SUFFIXES, UNREAD


def suffix_of(name: str) -> str:
    """Returns a name's suffix in lower case, with its dot; "" without one."""
    return posixpath.splitext(name)[1].lower()


def count(names: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Returns how many of these files are such pictures, by class and suffix.

    Args:
      names: class and name of each file.
    """
    found: dict[str, dict[str, int]] = {}
    for label, name in names:
        suffix = suffix_of(name)
        if suffix in UNREAD:
            counts = found.setdefault(label, {})
            counts[suffix] = counts.get(suffix, 0) + 1
    return found


def by_suffix(unread: dict[str, dict[str, int]]) -> collections.Counter[str]:
    """Returns the numbers by suffix of what `count` returned."""
    total = collections.Counter[str]()
    for counts in unread.values():
        total.update(counts)
    return total


def sentences(numbers: collections.Counter[str]) -> list[str]:
    """Returns a sentence on pictures that are not read, by suffix; none without any."""
    if not numbers:
        return []
    counted = some(f"{number} {suffix}" for suffix, number in numbers.most_common())
    kinds = [f"{suffix} is {UNREAD[suffix]}" for suffix in sorted(numbers) if suffix in UNREAD]
    ways_out = (
        "They are damaged, or not what their names say"
        if numbers.keys() <= SUFFIXES
        else f"Read are {' '.join(sorted(SUFFIXES))}; convert others to one of these"
    )
    said = f" ({'; '.join(kinds)})" if kinds else ""
    return [f"Pictures that were not read: {counted}{said}. {ways_out}."]
