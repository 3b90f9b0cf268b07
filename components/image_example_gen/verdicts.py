"""Faults of pictures that can be read, but not beside each other. Pure functions.

Equal means that the files hold the same bytes. Equal pictures of one class in one split are kept:
how often a picture occurs is the user's choice, and they are cut as one. In two splits, which a
source's own splits or groups may bring about, they would let the gate see what training has seen.
With two labels, one of them is wrong, and nothing says which.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator

from components.artifacts.features import EVAL, TEST, TRAIN
from serving.names import shown

CONFLICT = "same picture under two labels"
LEAK = "same picture in two splits"

_STRICTEST_FIRST = (TEST, EVAL, TRAIN)

Row = dict[str, str]
"""The verdict on a file.

Accepted: {"file", "label", "sha256", "difference_hash"}; the latter two in hexadecimal. Rejected:
{"file", "label", "reason"}; the reason is a fixed phrase, or one, ": " and details. Both have
"group" where there is one, and "split" where the source gives it, or once the pictures are cut;
further entries are named in `changes` and `corrected`.
"""


def conflicts(accepted: Iterable[Row]) -> dict[str, str]:
    """Returns, by file, the reason why it has to be rejected for an equal one of another class.

    None of them stays.
    """
    found: dict[str, str] = {}
    for same in _equal(accepted):
        of_label = _first_by("label", same)
        if len(of_label) > 1:
            one, other, *_ = of_label.values()
            for row in same:
                against = one if row["label"] != one["label"] else other
                file, label = shown(against["file"]), shown(against["label"])
                found[row["file"]] = f"{CONFLICT}: {file} is labelled {label!r}"
    return found


def leaks(accepted: Iterable[Row]) -> dict[str, str]:
    """Returns, by file, the reason why it has to be rejected for an equal one of another split.

    Those of the strictest split stay: `test` before `eval` before `train`.
    """
    found: dict[str, str] = {}
    for same in _equal(accepted):
        of_split = _first_by("split", same)
        kept = next(of_split[split] for split in _STRICTEST_FIRST if split in of_split)
        for row in same:
            if row["split"] != kept["split"]:
                found[row["file"]] = f"{LEAK}: {shown(kept['file'])} in {kept['split']} is kept"
    return found


def duplicates(accepted: Iterable[Row]) -> Iterator[tuple[Row, Row]]:
    """Returns each picture that repeats another, with the first by name of those it repeats."""
    for first, *others in _equal(accepted):
        for other in others:
            yield other, first


def _equal(accepted: Iterable[Row]) -> list[list[Row]]:
    """Returns the pictures that have equals, by content, each list sorted by file and label."""
    by_content: dict[str, list[Row]] = collections.defaultdict(list)
    for row in accepted:
        by_content[row["sha256"]].append(row)
    several = (same for same in by_content.values() if len(same) > 1)
    return [sorted(same, key=lambda row: (row["file"], row["label"])) for same in several]


def _first_by(key: str, rows: list[Row]) -> dict[str, Row]:
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row[key], row)
    return first
