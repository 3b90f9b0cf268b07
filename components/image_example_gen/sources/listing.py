"""The files of a source, their classes, and the fingerprint of their state."""

from __future__ import annotations

import collections
import dataclasses
import functools
import hashlib
import itertools
import json
import operator
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from components.artifacts.features import SPLITS, TRAIN
from components.errors import DataError
from components.image_example_gen.sources.unchanged import Evidence
from components.image_example_gen.sources.unread import suffix_of
from components.packed import Compressed, ordered
from serving.names import quoted, shown
from serving.pictures import SUFFIXES


class Record(NamedTuple):
    """The place of one picture's Example in a file of records."""

    offset: int  # bytes, in the uncompressed file
    length: int


@dataclasses.dataclass(frozen=True, slots=True)
class SourceFile:
    """One picture's file, or one picture's record in a file of many."""

    path: str
    name: str  # unique; forward slashes
    label: str
    size: int  # bytes
    modified: int | str  # nanoseconds since the epoch; a checksum where there are no times
    split: str | None = None  # where the source itself says so
    group: str | None = None  # likewise, or by `group_by`: it stays in one split
    among: tuple[str, ...] = SPLITS  # the splits that it may be cut into where none is given
    below: str = ""  # the path below the class folder, which `group_by` looks at; else `name`
    record: Record | None = None  # of TFRecords alone
    columns: tuple[tuple[str, str], ...] = ()  # a manifest's further ones: what the gate slices by
    other_labels: tuple[str, ...] = ()  # of a manifest that contradicts itself: it is rejected

    def as_row(self) -> tuple[Any, ...]:
        """Returns the file as JSON can hold it, for `of_row`."""
        values: tuple[Any, ...] = _values(self)
        if self.record is None:
            return values
        return (*values[:_RECORD], tuple(self.record), *values[_RECORD + 1 :])

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> SourceFile:
        """Returns the file of a row that `as_row` returned."""
        path, name, label, size, modified, split, group, among, below, *further = row
        record, columns, other_labels = further
        return cls(
            path,
            name,
            sys.intern(label),  # one text for all files of a class
            size,
            modified,
            split,
            group,
            tuple(among),
            below,
            record and Record(*record),
            tuple(map(tuple, columns)),
            tuple(other_labels),
        )


_values = operator.attrgetter(*SourceFile.__slots__)
_RECORD = SourceFile.__slots__.index("record")


def compressed(files: Iterable[SourceFile]) -> Compressed[SourceFile]:
    """Returns a list of files, of millions if need be."""
    return Compressed(SourceFile, files)


class Counts(NamedTuple):
    """Numbers of a listing's files, as JSON can hold them."""

    by_class: dict[str, dict[str, int]]  # and split; "" for files without one
    by_suffix: dict[str, int]  # in lower case, with its dot
    size: int  # bytes
    columns: list[str]  # of manifests, those that have a value in any row
    among: list[str]  # the splits that files without one are cut into

    @classmethod
    def of(cls, files: Iterable[SourceFile]) -> Counts:
        """Counts files."""
        by_class: dict[str, dict[str, int]] = {}
        by_suffix = collections.Counter[str]()
        size, columns = 0, set[str]()
        among: tuple[str, ...] = ()
        for file in files:
            by_split = by_class.setdefault(file.label, {})
            by_split[file.split or ""] = by_split.get(file.split or "", 0) + 1
            by_suffix[suffix_of(file.name)] += 1
            size += file.size
            columns.update(name for name, _ in file.columns)
            among = among or (() if file.split else file.among)
        return cls(by_class, by_suffix, size, sorted(columns), list(among or SPLITS))

    @property
    def by_label(self) -> collections.Counter[str]:
        """The numbers of files by class."""
        return collections.Counter({name: sum(of.values()) for name, of in self.by_class.items()})

    @property
    def by_split(self) -> collections.Counter[str]:
        """The numbers of files by split; "" for those without one."""
        return sum(map(collections.Counter, self.by_class.values()), collections.Counter())


@dataclasses.dataclass(frozen=True)
class Listing:
    """The content of a source."""

    files: Sequence[SourceFile]  # by name
    classes: list[str]  # sorted
    ignored: int  # files that are hidden, in no class folder, or without a picture's suffix;
    # hidden folders are not entered
    notes: list[str] = dataclasses.field(default_factory=list)  # what the user should know of it
    unread: dict[str, dict[str, int]] = dataclasses.field(default_factory=dict)
    # of the ignored, by class and suffix: pictures in formats that are not read here
    corrections: dict[str, str] = dataclasses.field(default_factory=dict)
    # labels by path or SHA-256, as `read_corrections` returns them
    places: tuple[str, ...] = ()  # the folders and files that it was read from; () where they
    # have no times that would tell of a change
    evidence: Evidence | None = None  # what is the same as long as this listing holds
    is_kept: bool = dataclasses.field(default=False, compare=False)  # it was read from its file

    @functools.cached_property
    def counts(self) -> Counts:
        """The numbers of the files, counted in one pass."""
        return Counts.of(self.files)

    @property
    def among(self) -> tuple[str, ...]:
        """The splits that files without one are cut into."""
        return tuple(self.counts.among)

    def fingerprint(self) -> str:
        """SHA-256 over what is known of every file, and over the corrections."""
        return self._fingerprint

    def holding(self, files: Sequence[SourceFile]) -> Listing:
        """Returns this listing with its files held in another way, or no longer."""
        return dataclasses.replace(self, files=files).known_as(self.fingerprint(), self.counts)

    def copy(self, **changes: Any) -> Listing:
        """Returns this listing with other values of what neither counts nor fingerprint tell."""
        made = dataclasses.replace(self, **changes)
        vars(made).update((name, vars(self)[name]) for name in _FOUND if name in vars(self))
        return made

    def known_as(self, fingerprint: str, counts: Counts) -> Listing:
        """Returns this listing, whose files need not be read to tell these two."""
        vars(self).update(_fingerprint=fingerprint, counts=counts)  # as cached properties do
        return self

    @functools.cached_property
    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for file in self.files:
            known = (file.name, file.label, file.size, file.modified, file.split, file.group)
            further = [each for each in (file.columns, file.other_labels) if each]
            digest.update(f"{json.dumps([*known, file.among, *further])}\n".encode())
        if self.corrections:
            digest.update(json.dumps(self.corrections, sort_keys=True).encode())
        return digest.hexdigest()


_FOUND = ("counts", "_fingerprint")
"""The values that a listing keeps of a pass over its files."""


def merge(listings: dict[str, Listing]) -> Listing:
    """Returns one listing of several, with each one's key before the names of its files."""
    files = (
        file
        if file.below and not prefix
        else dataclasses.replace(file, name=f"{prefix}{file.name}", below=file.below or file.name)
        for prefix, listing in listings.items()
        for file in listing.files
    )
    return Listing(
        ordered(SourceFile, files, key=lambda file: (file.name, file.label)),
        sorted({label for listing in listings.values() for label in listing.classes}),
        sum(listing.ignored for listing in listings.values()),
        [note for listing in listings.values() for note in listing.notes],
        _added(listing.unread for listing in listings.values()),
        places=_places(listing.places for listing in listings.values()),
    )


def _places(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    known = list(parts)
    return tuple(dict.fromkeys(itertools.chain(*known))) if all(known) else ()


def _added(counts: Iterable[dict[str, dict[str, int]]]) -> dict[str, dict[str, int]]:
    total: dict[str, dict[str, int]] = {}
    for by_class in counts:
        for label, by_suffix in by_class.items():
            sums = total.setdefault(label, {})
            for suffix, count in by_suffix.items():
                sums[suffix] = sums.get(suffix, 0) + count
    return total


def with_missing_splits_cut(listing: Listing) -> Listing:
    """Lets the splits that a source with given splits lacks be cut out of its train split.

    A source some of whose files have no split lacks none: those files are cut into all three.

    Raises:
      DataError: nothing is given as train.
    """
    given = set(listing.counts.by_split)
    missing = tuple(split for split in SPLITS if split not in given)
    if "" in given or not missing or not given:
        return listing
    if TRAIN in missing:
        raise DataError(
            f"data.source: {', '.join(sorted(given))} given, but no train split. "
            "Add a folder `train` (in a manifest: rows with the split `train`)."
        )
    cut = compressed(
        dataclasses.replace(file, split=None, among=(TRAIN, *missing))
        if file.split == TRAIN
        else file
        for file in listing.files
    )
    note = f"The source gives no {' and no '.join(missing)} split: cut out of train."
    return dataclasses.replace(listing, files=cut, notes=[*listing.notes, note])


def check(
    listing: Listing, source: str, layout: str, min_pictures: int, further: Iterable[str] = ()
) -> None:
    """Refuses what can't make a classifier.

    Args:
      listing: what was found.
      source: a phrase that names the place.
      layout: a phrase that names the expected layout.
      min_pictures: how many every class shall have in each split; 0: any number.
      further: notes on it, told beside its own.

    Raises:
      DataError: no classes, a single one, or one too small to be split.
    """
    fault = _fault(listing, source, layout, max(1, len(SPLITS) * min_pictures))
    if fault:
        raise DataError(" ".join([f"data.source: {fault}", *listing.notes, *further]))


def _folders_inside(listing: Listing, source: str) -> str:
    """Names the folders in a single class folder, where all pictures lie in one of several."""
    inside = set()
    for file in listing.files:
        folder, _, rest = file.below.partition("/")
        if not rest:
            return ""
        inside.add(folder)
    if len(inside) < 2:
        return ""
    named = sorted(inside)
    shown = ", ".join(named[:10]) + (" and more" if len(named) > 10 else "")
    place = f"{source.rstrip('/')}/{listing.classes[0]}"
    return f"It holds the folders {shown}: if those are the classes (or splits), name {place}. "


def _fault(listing: Listing, source: str, layout: str, least: int) -> str | None:
    classes = listing.classes
    if not classes:
        return f"{source} has no class folders. {layout}. Put the pictures there so."
    if len(classes) == 1:
        return (
            f"{source} has a single class, {quoted(classes[0])}; a classifier needs two. "
            f"{_folders_inside(listing, source)}{layout}. Add a class."
        )
    if not listing.files:
        suffixes = " ".join(sorted(SUFFIXES))
        return f"{source} holds no pictures. {layout}; suffixes: {suffixes}. Add some."
    counts = listing.counts.by_label
    small = [f"{shown(label)} ({counts[label]})" for label in classes if counts[label] < least]
    if small:
        return (
            f"too few pictures in {', '.join(small)}; a class needs at least {least}: "
            f"data.min_pictures for each of {', '.join(SPLITS)}, and one in any case. Add pictures "
            "or remove the class."
        )
    return None
