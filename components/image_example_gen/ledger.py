"""The verdict on every file: what is accepted, into which split, and what is not and why."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from components.artifacts.features import SPLITS
from components.artifacts.rows import Rows
from components.image_example_gen import corrected
from components.image_example_gen import units as units_of
from components.image_example_gen.memory import Memory, split_codes
from components.image_example_gen.splits import assigned, small_classes
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

    accepted: Rows  # each with its split
    rejected: list[Row]
    rejected_by_split: dict[str, int] = dataclasses.field(default_factory=dict)
    left_out: Sequence[Row] = ()  # of classes that are too small
    small: dict[str, int] = dataclasses.field(default_factory=dict)  # such classes, with pictures
    moved: list[Moved] = dataclasses.field(default_factory=list)
    taken_out: Sequence[Row] = ()  # by `data.corrections`
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
        every = Rows.of(rows).by("file", "label")
        is_out = every.has(corrected.OUT)
        ordered = every.where(~is_out)
        readable = ordered.where(ordered.has("sha256"))
        reasons = conflicts(readable.with_equals("label"))
        alone = readable.where(~readable.is_among("file", reasons))
        cut, left_out, small = _cut(alone, data, among, memory)
        reasons |= leaks(cut.with_equals("split"))
        accepted = cut.where(~cut.is_among("file", reasons))
        rejected = [
            {"file": row["file"], "label": row["label"], "reason": reason}
            for row in ordered.where(ordered.has("reason") | ordered.is_among("file", reasons))
            if (reason := row.get("reason") or reasons.get(row["file"]))
        ]
        return cls(
            accepted,
            rejected,
            _by_split(rejected, ordered, cut),
            left_out,
            small,
            _moved(accepted, memory),
            every.where(is_out),
            frozenset(every.shared(corrected.BY)[1]),
        )

    @property
    def files(self) -> int:
        """How many files there is a verdict on."""
        parts = (self.accepted, self.rejected, self.left_out, self.taken_out)
        return sum(map(len, parts))

    def rows(self) -> Rows:
        """Returns a row for every file, by name."""
        parts = (self.accepted, Rows.of(self.rejected), self.left_out, self.taken_out)
        tables = [Rows.of(part).table for part in parts if len(part)]
        return Rows.joined(tables).by("file", "label") if tables else Rows.of(())

    def classes(self, listed: list[str]) -> list[str]:
        """Returns those of the listed classes of which there is a picture."""
        there = set(self.accepted.shared("label")[1])
        return [label for label in listed if label in there]

    def counts(self, classes: list[str]) -> dict[str, dict[str, int]]:
        """Returns the number of accepted pictures by split and class."""
        counts = {split: dict.fromkeys(classes, 0) for split in SPLITS}
        for (split, label), number in _numbers(self.accepted).items():
            counts[split][label] = number
        return counts

    def by_split(self) -> dict[str, int]:
        """Returns the number of accepted pictures by split."""
        numbers = np.bincount(split_codes(self.accepted), minlength=len(SPLITS))
        return dict(zip(SPLITS, numbers.tolist(), strict=True))


def _cut(
    rows: Rows, data: Data, among: Sequence[str], memory: Memory
) -> tuple[Rows, Rows, dict[str, int]]:
    """Returns the rows with their splits, those left out, and the classes too small to be split.

    Rows of these are left out where the configuration says so.
    """
    given = _given(rows)
    units, unit = units_of.make(rows, data, memory)
    small = small_classes(units, given)
    kept, left_out = rows, rows.where(np.zeros(len(rows), bool))
    if data.small_classes == "leave_out" and small:
        out = rows.is_among("label", small)
        kept, left_out = rows.where(~out), rows.where(out).without("split")
        given = _given(kept)
        units, unit = units_of.make(kept, data, memory)
    parts = {split: getattr(data.splits, split) for split in among}
    splits = np.append(assigned(units, parts, given), -1)[unit]
    codes = np.where(unit >= 0, splits, split_codes(kept))
    return kept.with_shared("split", codes, SPLITS), left_out, small


def _given(rows: Rows) -> Mapping[str, Mapping[str, int]]:
    """Returns the pictures whose split the source gives, by class and split."""
    given: dict[str, dict[str, int]] = collections.defaultdict(dict)
    for (split, label), number in _numbers(rows.where(rows.has("split"))).items():
        given[label][split] = number
    return given


def _numbers(rows: Rows) -> dict[tuple[str, str], int]:
    """Returns the numbers of pictures by split and class, where there are any."""
    label, labels = rows.shared("label")
    cells = np.bincount(split_codes(rows) * len(labels) + label, minlength=0)
    return {
        (SPLITS[cell // len(labels)], labels[cell % len(labels)]): int(cells[cell])
        for cell in np.flatnonzero(cells).tolist()
    }


def _by_split(rejected: list[Row], ordered: Rows, cut: Rows) -> dict[str, int]:
    """Returns the numbers of rejected files by split."""
    files = [row["file"] for row in rejected]
    of_file = {
        row["file"]: row["split"]
        for rows in (ordered, cut)
        for row in rows.where(rows.is_among("file", files))
        if "split" in row
    }
    return dict(collections.Counter(of_file.get(file, UNDECIDED) for file in files))


def _moved(accepted: Rows, memory: Memory) -> list[Moved]:
    before, now = memory.before(accepted), split_codes(accepted)
    moved = np.flatnonzero((before >= 0) & (before != now))
    return [
        Moved(row["file"], SPLITS[then], row["split"])
        for row, then in zip(accepted.take(moved), before[moved].tolist(), strict=True)
    ]
