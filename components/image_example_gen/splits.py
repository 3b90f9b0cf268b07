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

from components.artifacts.features import EVAL, SPLITS, TEST, TRAIN

MOST_KNOWN_FIRST = (TRAIN, EVAL, TEST)
"""By how much a model knows of a split's pictures: they move to the left alone."""

SMALLEST = len(SPLITS)
"""A class with fewer units can't be in every split: all of it is trained."""

_NEEDED_FIRST = (TRAIN, TEST, EVAL)  # without test pictures nothing is known of a class


@dataclasses.dataclass(frozen=True)
class Unit:
    """Pictures that stay in one split."""

    key: str  # decides the place in the order of the units
    counts: Mapping[str, int]  # pictures by class
    known: str | None = None  # the split in which an earlier run has put it


def assign(
    units: Sequence[Unit],
    parts: Mapping[str, int],
    given: Mapping[str, Mapping[str, int]] | None = None,
) -> list[str]:
    """Returns the split of each unit, which depends on nothing but the arguments.

    Every class with three units or more is in each of the splits, unless units that an earlier run
    has put elsewhere leave too few for it.

    Args:
      units: in any order.
      parts: the wanted shares, by each split that there shall be.
      given: pictures that have their split already, by class and split.
    """
    cut = _Cut(units, parts, given or {})
    for label in cut.rarest_first():
        cut.place(label)
    return [cut.split[unit.key] for unit in units]


def small_classes(
    units: Iterable[Unit], given: Mapping[str, Mapping[str, int]] | None = None
) -> dict[str, int]:
    """Returns the classes that are too small to be in every split, with their pictures."""
    there, pictures = collections.Counter[str](), collections.Counter[str]()
    for unit in units:
        there.update(unit.counts.keys())
        pictures.update(unit.counts)
    for label, by_split in (given or {}).items():
        there[label] += sum(by_split.values())
        pictures[label] += sum(by_split.values())
    return {label: pictures[label] for label in sorted(there) if there[label] < SMALLEST}


class _Cut:
    """The state of the assignment: which units have their split."""

    def __init__(
        self,
        units: Sequence[Unit],
        parts: Mapping[str, int],
        given: Mapping[str, Mapping[str, int]],
    ):
        self._parts = parts
        self._given = given
        self._small = small_classes(units, given)
        self.by_class: dict[str, list[Unit]] = collections.defaultdict(list)
        self.split: dict[str, str] = {}
        for unit in sorted(units, key=lambda unit: position(unit.key)):
            for label in unit.counts:
                self.by_class[label].append(unit)
            if unit.counts.keys() <= self._small.keys():
                self.split[unit.key] = TRAIN
            elif unit.known is not None and unit.known in parts:
                self.split[unit.key] = unit.known

    def rarest_first(self) -> list[str]:
        """Returns the classes that are large enough, those with the fewest units first."""
        large = self.by_class.keys() - self._small.keys()
        return sorted(large, key=lambda label: (len(self.by_class[label]), label))

    def place(self, label: str) -> None:
        """Puts the units of this class that have no split yet into one."""
        units = [unit for unit in self.by_class[label] if unit.key not in self.split]
        if not units:
            return
        sizes = [unit.counts[label] for unit in units]
        found = _cut(sizes, _open(self._wanted(label), self._pictures(label), sum(sizes)))
        there = {*self._given.get(label, ())}
        there |= {self.split[unit.key] for unit in self.by_class[label] if unit.key in self.split}
        for lacking in (split for split in _NEEDED_FIRST if split in self._parts):
            if lacking not in there and lacking not in found:
                _take_one(found, sizes, lacking, there)
        self.split.update((unit.key, split) for unit, split in zip(units, found, strict=True))

    def _wanted(self, label: str) -> dict[str, float]:
        pictures = sum(unit.counts[label] for unit in self.by_class[label])
        whole = sum(self._parts.values())
        return {split: pictures * part / whole for split, part in self._parts.items()}

    def _pictures(self, label: str) -> collections.Counter[str]:
        there = collections.Counter[str]()
        for unit in self.by_class[label]:
            if unit.key in self.split:
                there[self.split[unit.key]] += unit.counts[label]
        return there


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


def _cut(sizes: list[int], shares: Mapping[str, int]) -> list[str]:
    """Returns the split of each unit: that in whose share the unit's middle lies."""
    found, ends, end = [], [], 0
    for split in (split for split in SPLITS if split in shares):
        end += shares[split]
        ends.append((end, split))
    before = 0
    for size in sizes:
        middle = before + size / 2
        found.append(next(split for end, split in ends if middle < end))
        before += size
    return found


def _take_one(found: list[str], sizes: list[int], lacking: str, there: set[str]) -> None:
    """Moves into the lacking split the smallest unit of the largest split that can spare one."""
    of_split: dict[str, list[int]] = collections.defaultdict(list)
    for index, split in enumerate(found):
        of_split[split].append(index)
    spare = {
        split: indices for split, indices in of_split.items() if len(indices) > 1 or split in there
    }
    if not spare:
        return
    largest = max(spare.values(), key=lambda indices: sum(sizes[index] for index in indices))
    found[min(largest, key=lambda index: (sizes[index], -index))] = lacking


def position(key: str) -> str:
    """Returns what sorts a unit among the others, whatever they are."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
