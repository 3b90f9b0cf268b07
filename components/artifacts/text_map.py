"""A mapping of texts to texts, packed into two columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.artifacts.rows import Rows

Self = TypeVar("Self", bound="TextMap")


class TextMap(Mapping[str, str]):
    """The texts of one column by those of another, of which no two rows have the same.

    Looking up many at once, by `positions`, is the way to ask: each look-up reads all keys.
    """

    def __init__(self, rows: Rows, key: str, value: str):
        """Keeps rows that have these two columns."""
        self.rows = rows
        self._key, self._value = key, value

    @classmethod
    def of(cls: type[Self], known: Mapping[str, str], key: str, value: str) -> Self:
        """Packs a mapping."""
        if isinstance(known, cls):
            return known
        rows = Rows.of({key: name, value: text} for name, text in known.items())
        return cls(rows, key, value)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[str]:
        yield from (str(text) for text in self.rows.texts(self._key))

    def items(self) -> Iterator[tuple[str, str]]:  # type: ignore[override]
        """Yields keys and values."""
        yield from ((row[self._key], row[self._value]) for row in self.rows)

    def __getitem__(self, name: str) -> str:
        [at] = self.positions(Rows.of([{self._key: name}])).tolist()
        if at < 0:
            raise KeyError(name)
        return self.rows[at][self._value]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self.items()) == dict(other.items())

    __hash__ = None  # type: ignore[assignment]

    def positions(self, rows: Rows) -> np.ndarray:
        """Returns where the key of each row stands among these: [rows] int64; -1 for nowhere."""
        wanted, keys = rows.column(self._key), self.rows.column(self._key)
        if not len(keys):
            return np.full(len(rows), -1)
        if wanted.type != keys.type:
            wanted = pa.array([*rows.texts(self._key)], pa.string())
            keys = pa.array([*self.rows.texts(self._key)], pa.string())
        found = pc.index_in(wanted, value_set=keys)
        places: np.ndarray = pc.fill_null(found, -1).to_numpy().astype(np.int64)
        return np.where(rows.has(self._key), places, -1)
