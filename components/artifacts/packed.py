"""Lists whose items are packed and made when they are asked for."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TypeVar, overload

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
