"""Which split a picture belongs to: each class near the wanted shares, whatever its size.

What is cut is a unit: a picture with all that equal it, or a group, which stays together. A unit
that an earlier run has put into a split stays there. The others of a class are put in an order that
their keys decide, and are cut into the splits by the shares that are still open; so a unit keeps
its place when others come, but for the few next to a cut, and what is remembered keeps it in any
case. The rarest classes come first, as in Sechidis, Tsoumakas and Vlahavas, "On the stratification
of multi-label data", ECML PKDD 2011: a group may hold pictures of several classes.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from components.artifacts.features import EVAL, SPLITS, TEST, TRAIN

_OPEN = -1  # in place of a split

SMALLEST = len(SPLITS)
"""A class with fewer units can't be in every split: all of it is trained."""

_NEEDED_FIRST = (TRAIN, TEST, EVAL)  # without test pictures nothing is known of a class


@dataclasses.dataclass(frozen=True)
class Unit:
    """Pictures that stay in one split."""

    key: str  # decides the place in the order of the units
    counts: Mapping[str, int]  # pictures by class
    known: str | None = None  # the split in which an earlier run has put it


class Units:
    """Units as columns: a unit's counts are entries, one for each class that it has pictures of.

    Attributes:
      position: [units, 32] uint8, what sorts a unit among the others.
      known: [units] int64 positions in `SPLITS`; -1 for those that no earlier run has put anywhere.
      labels: the classes.
      unit, label, pictures: [entries] int64: which unit, which of the labels, how many pictures.
    """

    def __init__(
        self,
        position: np.ndarray,
        known: np.ndarray,
        labels: Sequence[str],
        unit_of: np.ndarray,
        label_of: np.ndarray,
    ):
        """Counts the entries.

        Args:
          position, known, labels: see above.
          unit_of, label_of: [pictures] int64, the unit and the class of each picture.
        """
        self.position, self.known, self.labels = position, known, list(labels)
        width = max(1, len(self.labels))
        entry, self.pictures = np.unique(unit_of * width + label_of, return_counts=True)
        self.unit, self.label = np.divmod(entry, width)

    @classmethod
    def of(cls, units: Iterable[Unit] | Units) -> Units:
        """Packs units."""
        if isinstance(units, Units):
            return units
        every = list(units)
        labels = sorted({label for unit in every for label in unit.counts})
        place = {label: at for at, label in enumerate(labels)}
        pairs = [
            (at, place[label])
            for at, unit in enumerate(every)
            for label, count in unit.counts.items()
            for _ in range(count)
        ]
        unit_of, label_of = np.array(pairs, np.int64).reshape(-1, 2).T
        known = [-1 if unit.known is None else SPLITS.index(unit.known) for unit in every]
        return cls(
            positions(unit.key for unit in every),
            np.array(known, np.int64),
            labels,
            unit_of,
            label_of,
        )

    def __len__(self) -> int:
        return len(self.known)

    def ranks(self) -> np.ndarray:
        """Returns the place of each unit in the order of their positions: [units] int64."""
        words = self.position.view(">u8").reshape(-1, 4).astype(np.uint64)
        order = np.lexsort(words.T[::-1])
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        return ranks


def assign(
    units: Iterable[Unit] | Units,
    parts: Mapping[str, int],
    given: Mapping[str, Mapping[str, int]] | None = None,
) -> list[str]:
    """Returns the split of each unit, which depends on nothing but the arguments.

    Every class with three units or more is in each of the splits, unless units that an earlier run
    has put elsewhere leave too few for it.

    Args:
      units: in any order.
      parts: the wanted shares, by each split that there shall be.
      given: pictures whose split the source gives, by class and split: they count, too.
    """
    return [SPLITS[split] for split in assigned(Units.of(units), parts, given).tolist()]


def assigned(
    units: Units,
    parts: Mapping[str, int],
    given: Mapping[str, Mapping[str, int]] | None = None,
) -> np.ndarray:
    """Returns what `assign` does, as positions in `SPLITS`: [units] int64."""
    cut = _Cut(units, parts, given or {})
    for label in cut.rarest_first():
        cut.place(label)
    return cut.split


def small_classes(
    units: Iterable[Unit] | Units, given: Mapping[str, Mapping[str, int]] | None = None
) -> dict[str, int]:
    """Returns the classes that are too small to be in every split, with their pictures."""
    packed = Units.of(units)
    count = len(packed.labels)
    there = collections.Counter[str](
        dict(zip(packed.labels, np.bincount(packed.label, minlength=count).tolist(), strict=True))
    )
    summed = np.bincount(packed.label, packed.pictures, count).astype(np.int64)
    pictures = collections.Counter[str](dict(zip(packed.labels, summed.tolist(), strict=True)))
    for label, by_split in (given or {}).items():
        there[label] += sum(by_split.values())
        pictures[label] += sum(by_split.values())
    return {label: pictures[label] for label in sorted(there) if there[label] < SMALLEST}


class _Cut:
    """The state of the assignment: which units have their split."""

    def __init__(
        self, units: Units, parts: Mapping[str, int], given: Mapping[str, Mapping[str, int]]
    ):
        self._parts = parts
        self._given = given
        self._labels = units.labels
        small = small_classes(units, given)
        self._is_small = np.array([label in small for label in units.labels], bool)
        order = np.lexsort((units.ranks()[units.unit], units.label))
        self._unit, self._pictures = units.unit[order], units.pictures[order]
        bounds = np.arange(len(units.labels) + 1)
        self._bounds = np.searchsorted(units.label[order], bounds)
        wanted = np.array([split in parts for split in SPLITS], bool)
        self.split = np.where((units.known >= 0) & wanted[units.known], units.known, _OPEN)
        of_large = np.zeros(len(units), bool)
        of_large[units.unit[~self._is_small[units.label]]] = True
        self.split[~of_large] = SPLITS.index(TRAIN)

    def rarest_first(self) -> list[int]:
        """Returns the classes that are large enough, those with the fewest units first."""
        units = np.diff(self._bounds)
        large = np.flatnonzero(~self._is_small).tolist()
        return sorted(large, key=lambda at: (units[at], self._labels[at]))

    def place(self, label: int) -> None:
        """Puts the units of this class that have no split yet into one."""
        entries = slice(self._bounds[label], self._bounds[label + 1])
        units, pictures = self._unit[entries], self._pictures[entries]
        is_open = self.split[units] == _OPEN
        if not is_open.any():
            return
        placed = self.split[units[~is_open]]
        count = np.bincount(placed, pictures[~is_open], len(SPLITS)).astype(np.int64)
        there_already = dict(zip(SPLITS, count.tolist(), strict=True))
        sizes = pictures[is_open]
        shares = _open(self._wanted(int(pictures.sum())), there_already, int(sizes.sum()))
        found = _cut(sizes, shares)
        there = {
            *self._given.get(self._labels[label], ()),
            *(SPLITS[at] for at in set(placed.tolist())),
        }
        for lacking in (split for split in _NEEDED_FIRST if split in self._parts):
            if lacking not in there and not (found == SPLITS.index(lacking)).any():
                _take_one(found, sizes, lacking, there)
        self.split[units[is_open]] = found

    def _wanted(self, pictures: int) -> dict[str, float]:
        whole = sum(self._parts.values())
        return {split: pictures * part / whole for split, part in self._parts.items()}


def _open(wanted: Mapping[str, float], there: Mapping[str, int], pictures: int) -> dict[str, int]:
    """Returns how many of these pictures each split gets: whole numbers that add up to them.

    What a split lacks is rounded by largest remainders.
    """
    lacks = {split: max(0.0, wanted[split] - there.get(split, 0)) for split in wanted}
    scale = pictures / sum(lacks.values())  # what one split has too much of, the others lack
    exact = {split: lacks[split] * scale for split in _NEEDED_FIRST if split in lacks}
    found = {split: int(value + 1e-9) for split, value in exact.items()}
    by_remainder = sorted(exact, key=lambda split: round(found[split] - exact[split], 9))
    for split in by_remainder[: pictures - sum(found.values())]:
        found[split] += 1
    return found


def _cut(sizes: np.ndarray, shares: Mapping[str, int]) -> np.ndarray:
    """Returns the split of each unit: that in whose share the unit's middle lies."""
    splits = [split for split in SPLITS if split in shares]
    ends = np.cumsum([shares[split] for split in splits])
    middle = np.cumsum(sizes) - sizes / 2
    chosen = np.searchsorted(ends, middle, side="right")
    return np.array([SPLITS.index(split) for split in splits])[chosen]


def _take_one(found: np.ndarray, sizes: np.ndarray, lacking: str, there: set[str]) -> None:
    """Moves into the lacking split the smallest unit of the largest split that can spare one."""
    splits, first, units = np.unique(found, return_index=True, return_counts=True)
    spare = [
        (-int(sizes[found == split].sum()), start, split)
        for split, start, number in zip(
            splits.tolist(), first.tolist(), units.tolist(), strict=True
        )
        if number > 1 or SPLITS[split] in there
    ]
    if not spare:
        return
    *_, largest = min(spare)
    smallest = np.flatnonzero((found == largest) & (sizes == sizes[found == largest].min()))
    found[smallest[-1]] = SPLITS.index(lacking)


def positions(keys: Iterable[str]) -> np.ndarray:
    """Returns what sorts units with these keys among the others: [units, 32] uint8."""
    digests = b"".join(
        hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest() for key in keys
    )
    return np.frombuffer(digests, np.uint8).reshape(-1, 32)
