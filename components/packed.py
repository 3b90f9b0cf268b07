"""Lists whose items are packed and made when they are asked for."""

from __future__ import annotations

import abc
import bisect
import functools
import heapq
import itertools
import json
import marshal
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast, overload

Item = TypeVar("Item")


class Packed(Sequence[Item]):
    """A list that is equal to any other one of the same items."""

    @abc.abstractmethod
    def _item(self, at: int) -> Item:
        """Makes an item, 0 <= `at` < the length."""

    def _part(self, at: slice) -> Sequence[Item]:
        """Returns some items, packed where that is of use."""
        return [self._item(place) for place in range(*at.indices(len(self)))]

    @overload
    def __getitem__(self, at: int) -> Item: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Item]: ...

    def __getitem__(self, at: int | slice) -> Item | Sequence[Item]:
        if isinstance(at, slice):
            return self._part(at)
        if not -len(self) <= at < len(self):
            raise IndexError(at)
        return self._item(int(at) % len(self))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


class Record(Protocol):
    """A small object of texts, numbers and tuples of them."""

    def as_row(self) -> tuple[Any, ...]:
        """Returns its values."""

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Any:
        """Returns the object of the values that `as_row` returned."""


SomeRecord = TypeVar("SomeRecord", bound=Record | tuple[Any, ...])
"""Either such an object, or a named tuple of what it holds."""

_BLOCK = 256  # records
_FEW = 65_536  # records, that are held as objects, and sorted at once
_HELD = 16  # blocks


class Compressed(Packed[SomeRecord]):
    """A list of records, for millions of them: blocks of their rows are compressed.

    A picture's file takes 900 bytes as an object and 11 among others of its folder, 26 where they
    stand in no order (measured 2026-11-28 on 500,000). A few, up to 65,536, stay as they are.
    """

    def __init__(self, kind: type[SomeRecord], records: Iterable[SomeRecord]):
        """Takes in the records one after another.

        Args:
          kind: of all of them.
          records: in the list's order.
        """
        of, named = cast(Any, kind), issubclass(kind, tuple)
        self._row_of: Callable[[Any], Any] = cast(Any, tuple) if named else of.as_row
        self._record_of: Callable[[Any], SomeRecord] = of._make if named else of.of_row
        self._blocks: list[bytes] = []
        # Read by this process alone: the format is Python's own, several times as fast as JSON.
        self._rows_of: Callable[[bytes], list[Sequence[Any]]] = marshal.loads
        rest = iter(records)
        self._last = list(itertools.islice(rest, _FEW))
        if len(self._last) == _FEW:
            rest = itertools.chain(self._last, rest)
            while len(some := list(itertools.islice(rest, _BLOCK))) == _BLOCK:
                rows = marshal.dumps([self._row_of(each) for each in some])
                self._blocks.append(zlib.compress(rows, 1))
            self._last = some

    @classmethod
    def of_json(cls, kind: type[SomeRecord], blocks: list[bytes]) -> Compressed[SomeRecord]:
        """Returns the list whose `in_json` these blocks are. Many are unpacked when asked for."""
        found = cls(kind, ())
        found._rows_of = json.loads
        if len(blocks) * _BLOCK <= _FEW:
            return cls(kind, found._unpacked(blocks))
        found._blocks = blocks[:-1]
        found._last = list(found._unpacked(blocks[-1:]))
        return found

    def in_json(self) -> Iterator[bytes]:
        """Yields blocks for `of_json`, which a file can hold: compressed lists of rows."""
        rows = itertools.chain(
            itertools.chain.from_iterable(map(self._rows, self._blocks)),
            map(self._row_of, self._last),
        )
        while some := list(itertools.islice(rows, _BLOCK)):
            yield zlib.compress(json.dumps(some, separators=(",", ":")).encode(), 1)

    def __len__(self) -> int:
        return len(self._blocks) * _BLOCK + len(self._last)

    def __iter__(self) -> Iterator[SomeRecord]:
        return self._from(0)

    def since(self, at: int) -> Iterator[SomeRecord]:
        """Yields the records from a position on, from 0 to the length."""
        block = min(at // _BLOCK, len(self._blocks))
        return itertools.islice(self._from(block), at - block * _BLOCK, None)

    def _from(self, block: int) -> Iterator[SomeRecord]:
        yield from self._unpacked(itertools.islice(self._blocks, block, None))
        yield from self._last

    def _unpacked(self, blocks: Iterable[bytes]) -> Iterator[SomeRecord]:
        for block in blocks:
            yield from map(self._record_of, self._rows(block))

    def _rows(self, block: bytes) -> list[Sequence[Any]]:
        return self._rows_of(zlib.decompress(block))

    def _item(self, at: int) -> SomeRecord:
        return self._part(slice(at, at + 1))[0]

    def _part(self, at: slice) -> list[SomeRecord]:
        if not self._blocks:
            return self._last[at]
        places = range(*at.indices(len(self)))
        if places.step != 1:
            return [self._item(place) for place in places]
        return list(itertools.islice(self.since(places.start), len(places)))


class Index(Generic[SomeRecord]):
    """Finds records of a list that is sorted by a text; of many it holds a few blocks unpacked."""

    def __init__(self, records: Compressed[SomeRecord], key: Callable[[SomeRecord], str]):
        """Goes through the records once.

        Args:
          records: no two with the same text.
          key: returns the text.
        """
        self._records = records
        self._key = key
        self._firsts = [key(record) for record in itertools.islice(records, 0, None, _BLOCK)]
        self._block = functools.lru_cache(_HELD)(self._unpacked)

    def get(self, wanted: str) -> SomeRecord | None:
        """Returns the record with this text; None if there is none."""
        return self._block(self._block_of(wanted)).get(wanted)

    def since(self, wanted: str) -> Iterator[SomeRecord]:
        """Yields the records from this text on."""
        rest = self._records.since(self._block_of(wanted) * _BLOCK)
        return itertools.dropwhile(lambda record: self._key(record) < wanted, rest)

    def _block_of(self, wanted: str) -> int:
        return max(0, bisect.bisect_right(self._firsts, wanted) - 1)

    def _unpacked(self, block: int) -> dict[str, SomeRecord]:
        some = self._records[block * _BLOCK : (block + 1) * _BLOCK]
        return {self._key(record): record for record in some}


def ordered(
    kind: type[SomeRecord], records: Iterable[SomeRecord], key: Callable[[SomeRecord], Any]
) -> Compressed[SomeRecord]:
    """Returns the records sorted by a key; memory holds one part of them, or a block of each."""
    rest = iter(records)
    runs = []
    while some := list(itertools.islice(rest, _FEW)):
        runs.append(Compressed(kind, sorted(some, key=key)))
    return runs[0] if len(runs) == 1 else Compressed(kind, heapq.merge(*runs, key=key))
