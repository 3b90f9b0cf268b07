"""Compares the pictures with the last accepted data. Pure functions.

A picture is what its bytes are: moved to another file it is the same, moved to another class it is
relabelled.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from components.artifacts.known_pictures import Picture
from serving.names import shown, some

_NAMED, _LISTED = 10, 100
_LEAST = 0.1  # of a class's pictures that have to be known of the other name


@dataclasses.dataclass(frozen=True)
class Changes:
    """From one data set to the next; a picture of a renamed class is not relabelled."""

    relabelled: list[tuple[str, str, str]]  # file now, class before, class now
    added: list[str]  # files
    gone: list[str]
    renamed: dict[str, str]  # class now: class before

    def document(self) -> dict[str, Any]:
        """Returns the counts, and the first hundred files of each kind."""
        rows = [{"file": file, "from": one, "to": other} for file, one, other in self.relabelled]
        listed: dict[str, list[Any]] = {
            "relabelled": rows,
            "added": self.added,
            "gone": self.gone,
        }
        counts = {kind: len(files) for kind, files in listed.items()}
        first = {kind: files[:_LISTED] for kind, files in listed.items()}
        return {**counts, "renamed": self.renamed, "listed": first}

    def sentences(self, since: str) -> list[str]:
        """Returns what people should know; nothing where nothing changed."""
        told = [
            f"Class {shown(before)!r} is called {shown(now)!r} now, by its pictures."
            for now, before in list(self.renamed.items())[:_NAMED]
        ]
        if not (self.relabelled or self.added or self.gone):
            return told
        counts = (
            f"{len(self.relabelled)} relabelled, {len(self.added)} added, {len(self.gone)} gone "
            f"since the data accepted on {since}"
        )
        return [*told, f"{counts}{self._named()}."]

    def _named(self) -> str:
        rows = [
            f"{shown(file)} ({shown(before)!r}, now {shown(now)!r})"
            for file, before, now in self.relabelled
        ]
        return f": relabelled {some(rows, _NAMED)}" if rows else ""


def compare(before: Sequence[Picture], now: Sequence[Picture]) -> Changes:
    """Returns the changes from one data set to the next.

    Of equal pictures as many are the same as there are in both; none of a data set has two classes.
    """
    then, here = _by_content(before), _by_content(now)
    moved: list[tuple[str, str, str]] = []
    added: list[str] = []
    for digest, same in here.items():
        earlier = then.get(digest, [])
        both = min(len(earlier), len(same))
        added.extend(picture.file for picture in same[both:])
        pairs = zip(earlier, same[:both], strict=False)
        moved.extend((b.file, a.label, b.label) for a, b in pairs if a.label != b.label)
    gone = [
        picture.file
        for digest, earlier in then.items()
        for picture in earlier[len(here.get(digest, [])) :]
    ]
    renamed = _renamed(moved, _counts(before), _counts(now))
    relabelled = [row for row in moved if renamed.get(row[2]) != row[1]]
    return Changes(sorted(relabelled), sorted(added), sorted(gone), renamed)


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


def _counts(pictures: Sequence[Picture]) -> collections.Counter[str]:
    return collections.Counter(picture.label for picture in pictures)


def _by_content(pictures: Sequence[Picture]) -> dict[str, list[Picture]]:
    found: dict[str, list[Picture]] = {}
    for picture in sorted(pictures):
        found.setdefault(picture.sha256, []).append(picture)
    return found
