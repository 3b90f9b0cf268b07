"""Files that are pictures by their names, in formats that are not read here."""

from __future__ import annotations

import collections
import posixpath
from collections.abc import Iterable

from serving.picture_formats import SUFFIXES, UNREAD


def count(names: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Returns how many of these files are such pictures, by class and suffix.

    Args:
      names: class and name of each file.
    """
    found: dict[str, dict[str, int]] = {}
    for label, name in names:
        suffix = posixpath.splitext(name)[1].lower()
        if suffix in UNREAD:
            counts = found.setdefault(label, {})
            counts[suffix] = counts.get(suffix, 0) + 1
    return found


def of_formats(unread: dict[str, dict[str, int]]) -> list[str]:
    """Returns a sentence on the files whose format this installation does not read.

    Args:
      unread: their numbers by class and suffix.
    """
    by_suffix = collections.Counter[str]()
    for counts in unread.values():
        by_suffix.update(counts)
    if not by_suffix:
        return []
    counted = ", ".join(
        f"{count} {suffix} ({UNREAD.get(suffix, 'a picture')})"
        for suffix, count in by_suffix.most_common()
    )
    return [
        f"{by_suffix.total()} files are pictures in formats that are not read here: {counted}. "
        f"Convert them, for instance to JPEG or PNG; read are {' '.join(sorted(SUFFIXES))}."
    ]
