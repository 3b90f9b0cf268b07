"""The verdict on every file: what is accepted, into which split, and what is not and why."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from components.artifacts.features import SPLITS
from components.image_example_gen import corrected, units
from components.image_example_gen.memory import Memory
from components.image_example_gen.splits import assign, small_classes
from components.image_example_gen.verdicts import Row, conflicts, leaks
from components.settings.data import Data

UNDECIDED = "undecided"
"""Instead of a split: of a file that can't be read, and whose content would decide."""


@dataclasses.dataclass(frozen=True)
class Moved:
    """A picture that is in another split than before."""

    file: str
    before: str
    now: str


@dataclasses.dataclass(frozen=True)
class Ledger:
    """The verdict on every file, by name."""

    accepted: list[Row]  # each with its split
    rejected: list[Row]
    rejected_by_split: dict[str, int] = dataclasses.field(default_factory=dict)
    left_out: list[Row] = dataclasses.field(default_factory=list)  # of classes that are too small
    small: dict[str, int] = dataclasses.field(default_factory=dict)  # such classes, with pictures
    moved: list[Moved] = dataclasses.field(default_factory=list)
    taken_out: list[Row] = dataclasses.field(default_factory=list)  # by `data.corrections`
    corrected_by: frozenset[str] = frozenset()  # the entries of it that name a file

    @classmethod
    def of(
        cls,
        rows: Iterable[Row],
        data: Data,
        among: Sequence[str] = SPLITS,
        memory: Memory | None = None,
    ) -> Ledger:
        """Judges the rows of all files, whatever order they come in.

        Args:
          rows: as `reading.read` returns them.
          data: the rules.
          among: the splits that pictures without a split are cut into.
          memory: of earlier runs.
        """
        memory = memory or Memory()
        every = sorted(rows, key=lambda row: (row["file"], row["label"]))
        taken_out = [row for row in every if corrected.OUT in row]
        ordered = [row for row in every if corrected.OUT not in row]
        readable = [row for row in ordered if "sha256" in row]
        reasons = conflicts(readable)
        alone = [row for row in readable if row["file"] not in reasons]
        cut, small = _cut(alone, data, among, memory)
        left_out = [row for row in cut if "split" not in row]
        cut = [row for row in cut if "split" in row]
        reasons |= leaks(cut)
        accepted = [row for row in cut if row["file"] not in reasons]
        rejected = [
            {"file": row["file"], "label": row["label"], "reason": reason}
            for row in ordered
            if (reason := row.get("reason") or reasons.get(row["file"]))
        ]
        of_file = {row["file"]: row["split"] for row in [*ordered, *cut] if "split" in row}
        by_split = collections.Counter(of_file.get(row["file"], UNDECIDED) for row in rejected)
        moved = [
            Moved(row["file"], before, row["split"])
            for row in accepted
            if (before := memory.pictures.get(row["sha256"], row["split"])) != row["split"]
        ]
        by = frozenset(row[corrected.BY] for row in every if corrected.BY in row)
        return cls(accepted, rejected, dict(by_split), left_out, small, moved, taken_out, by)

    def rows(self) -> list[Row]:
        """Returns a row for every file, by name."""
        rows = [*self.accepted, *self.rejected, *self.left_out, *self.taken_out]
        return sorted(rows, key=lambda row: (row["file"], row["label"]))

    def classes(self, listed: list[str]) -> list[str]:
        """Returns those of the listed classes of which there is a picture."""
        there = {row["label"] for row in self.accepted}
        return [label for label in listed if label in there]

    def counts(self, classes: list[str]) -> dict[str, dict[str, int]]:
        """Returns the number of accepted pictures by split and class."""
        counts = {split: dict.fromkeys(classes, 0) for split in SPLITS}
        for row in self.accepted:
            counts[row["split"]][row["label"]] += 1
        return counts


def _cut(
    rows: list[Row], data: Data, among: Sequence[str], memory: Memory
) -> tuple[list[Row], dict[str, int]]:
    """Returns the rows with their splits, and the classes too small to be in each of them.

    Rows of these have no split where they shall be left out.
    """
    given = _given(rows)
    made = units.make(rows, data, memory)
    small = small_classes([unit for unit, _ in made], given)
    kept = rows
    if data.small_classes == "leave_out":
        kept = [row for row in rows if row["label"] not in small]
        given, made = _given(kept), units.make(kept, data, memory)
    parts = {split: getattr(data.splits, split) for split in among}
    splits = assign([unit for unit, _ in made], parts, given)
    of_file = {
        row["file"]: split
        for (_, members), split in zip(made, splits, strict=True)
        for row in members
    }
    left_out = [
        {key: value for key, value in row.items() if key != "split"}
        for row in rows
        if data.small_classes == "leave_out" and row["label"] in small
    ]
    return [
        *({"split": of_file.get(row["file"]) or row["split"], **row} for row in kept),
        *left_out,
    ], small


def _given(rows: list[Row]) -> Mapping[str, Mapping[str, int]]:
    """Returns the pictures whose split the source gives, by class and split."""
    given: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for row in rows:
        if "split" in row:
            given[row["label"]][row["split"]] += 1
    return given
