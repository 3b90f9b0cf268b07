"""Faults of pictures that can be read, but not beside each other. Pure functions.

Equal means that the files hold the same bytes. Equal pictures of one class in one split are kept:
how often a picture occurs is the user's choice, and by default the content decides the split. In
two splits, which a source's own splits or groups may bring about, they would let the gate see what
training has seen. With two labels, one of them is wrong, and nothing says which.
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

Accepted: {"file", "label", "split", "sha256", "difference_hash"}; the latter two in hexadecimal.
Rejected: {"file", "label", "reason"}, and "split" where the content does not decide on it; the
reason is a fixed phrase, or one, ": " and details.
"""


def verdicts(accepted: Iterable[Row]) -> dict[str, str]:
    """Returns, by file, the reason why it has to be rejected for an equal one.

    Of equal pictures in several splits those of the strictest stay: `test` before `eval` before
    `train`. Of equal pictures with several labels none stays.
    """
    return {row["file"]: reason for same in _equal(accepted) for row, reason in _judge(same)}


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


def _judge(same: list[Row]) -> Iterator[tuple[Row, str]]:
    of_label, of_split = _first_by("label", same), _first_by("split", same)
    if len(of_label) > 1:
        one, other, *_ = of_label.values()
        for row in same:
            against = one if row["label"] != one["label"] else other
            file, label = shown(against["file"]), shown(against["label"])
            yield row, f"{CONFLICT}: {file} is labelled {label!r}"
        return
    kept = next(of_split[split] for split in _STRICTEST_FIRST if split in of_split)
    for row in same:
        if row["split"] != kept["split"]:
            yield row, f"{LEAK}: {shown(kept['file'])} in {kept['split']} is kept"


def _first_by(key: str, rows: list[Row]) -> dict[str, Row]:
    first: dict[str, Row] = {}
    for row in rows:
        first.setdefault(row[key], row)
    return first
