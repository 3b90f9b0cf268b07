"""Rows of texts, packed into columns: a list of dictionaries that are made when asked for.

Ten million rows of a ledger are 15 GB of Python objects, and 2 GB as columns: texts lie one behind
the other, those that many rows share (classes, splits) stand once, digests are raw bytes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.artifacts.parquet import PIECE
from components.packed import Packed

Row = dict[str, str]

DIGESTS = frozenset({"sha256", "difference_hash"})
"""Columns of hexadecimal digits: raw bytes here."""

_SHARED = frozenset(
    {"label", "split", "shard", "place", "encoded_anew", "label_before", "left_out_by"}
)
_DICTIONARY = pa.dictionary(pa.int32(), pa.string())


class Rows(Packed[Row]):
    """Rows in an order; what one does not have, no key stands for."""

    def __init__(self, table: pa.Table):
        self.table = table.unify_dictionaries().combine_chunks()

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, str]]) -> Rows:
        """Packs rows, a piece at a time."""
        if isinstance(rows, Rows):
            return rows
        rest = iter(rows)
        pieces = []
        while piece := list(itertools.islice(rest, PIECE)):
            names = dict.fromkeys(itertools.chain.from_iterable(piece))
            columns = {name: _packed(name, [row.get(name) for row in piece]) for name in names}
            pieces.append(pa.table(columns) if columns else _without_columns(len(piece)))
        return cls.joined(pieces)

    @classmethod
    def joined(cls, tables: Sequence[pa.Table]) -> Rows:
        """Returns the rows of several tables, of which some may lack columns of others."""
        kinds: dict[str, pa.DataType] = {}
        for field in itertools.chain.from_iterable(table.schema for table in tables):
            known = kinds.setdefault(field.name, field.type)
            kinds[field.name] = field.type if known == field.type else pa.string()
        schema = pa.schema(list(kinds.items()))
        fitted = [_fitted(table, schema) for table in tables]
        return cls(pa.concat_tables(fitted) if fitted else schema.empty_table())

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __iter__(self) -> Iterator[Row]:
        for start in range(0, len(self), PIECE):
            yield from _unpacked(self.table.slice(start, PIECE))

    def _item(self, at: int) -> Row:
        return _unpacked(self.table.slice(at, 1))[0]

    def _part(self, at: slice) -> Rows:
        return self.take(np.arange(*at.indices(len(self))))

    def take(self, rows: np.ndarray) -> Rows:
        """Returns the rows at these positions."""
        return Rows(self.table.take(pa.array(rows, pa.int64())))

    def where(self, which: np.ndarray) -> Rows:
        """Returns the rows for which this is true: [rows] bool."""
        return self if which.all() else self.take(np.flatnonzero(which))

    def without(self, *names: str) -> Rows:
        """Returns the rows without these columns."""
        return Rows(self.table.drop([name for name in names if name in self.table.column_names]))

    def with_shared(self, name: str, codes: np.ndarray, values: Sequence[str]) -> Rows:
        """Returns the rows with a column of shared texts.

        Args:
          name: of the column.
          codes: [rows] positions in `values`; -1: the row has none.
          values: the texts.
        """
        indices = pa.array(codes, pa.int32(), mask=codes < 0)
        column = pa.DictionaryArray.from_arrays(indices, pa.array(values, pa.string()))
        kept = self.table.drop([name]) if name in self.table.column_names else self.table
        return Rows(kept.append_column(name, column))

    def numbered(self, name: str) -> Rows:
        """Returns the rows with a column of their positions, as texts."""
        numbers = pa.array(np.arange(len(self))).cast(pa.string())
        return Rows(self.table.append_column(name, numbers))

    def has(self, name: str) -> np.ndarray:
        """Returns which rows have this: [rows] bool."""
        if name not in self.table.column_names:
            return np.zeros(len(self), bool)
        found: np.ndarray = self.table[name].is_valid().to_numpy()
        return found

    def column(self, name: str) -> pa.Array:
        """Returns a column as it is packed; nulls where no row has it."""
        if name not in self.table.column_names:
            return pa.nulls(len(self), pa.string())
        return _whole(self.table[name])

    def texts(self, name: str) -> Iterator[str | None]:
        """Yields a column's texts, None for rows that have none."""
        column = self.column(name)
        for start in range(0, len(self), PIECE):
            yield from _texts(column.slice(start, PIECE))

    def codes(self, name: str) -> tuple[np.ndarray, pa.Array]:
        """Returns which value each row has, and the values.

        Returns:
          [rows] int64 positions, -1 for none; the different values, as they are packed.
        """
        column = self.column(name)
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        codes = pc.fill_null(column.indices, -1).to_numpy().astype(np.int64)
        return codes, column.dictionary

    def shared(self, name: str) -> tuple[np.ndarray, list[str]]:
        """Returns which text each row has: [rows] int64, -1 for none; and the sorted texts."""
        codes, values = self.codes(name)
        texts = _texts(values)
        used = np.bincount(codes[codes >= 0], minlength=len(texts)) > 0
        names = sorted(text for text, of in zip(texts, used.tolist(), strict=True) if of)
        place = {text: at for at, text in enumerate(names)}
        to = np.array([*(place.get(text, -1) for text in texts), -1], np.int64)
        return to[codes], names

    def raw(self, name: str) -> np.ndarray:
        """Returns a column of digests, which all rows have: [rows, bytes] uint8."""
        column = self.column(name)
        if pa.types.is_string(column.type):
            digits = b"".join(map(bytes.fromhex, self.texts(name)))  # type: ignore[arg-type]
            return np.frombuffer(digits, np.uint8).reshape(len(self), -1)
        width = column.type.byte_width
        values = np.frombuffer(column.buffers()[1], np.uint8)
        start = column.offset * width
        return values[start : start + len(column) * width].reshape(-1, width)

    def digits(self, name: str) -> pa.Array:
        """Returns a column of digests in hexadecimal."""
        return pa.array(list(self.texts(name)), pa.string())

    def order_by(self, *names: str) -> np.ndarray:
        """Returns the positions of the rows sorted by these columns: [rows] int64."""
        columns = {name: self.column(name) for name in names}
        for name, column in columns.items():
            if not pa.types.is_string(column.type):
                to = pa.string() if pa.types.is_dictionary(column.type) else pa.binary()
                columns[name] = column.cast(to)
        keys = [(name, "ascending") for name in names]
        found: np.ndarray = pc.sort_indices(pa.table(columns), keys).to_numpy()
        return found.astype(np.int64)

    def by(self, *names: str) -> Rows:
        """Returns the rows sorted by these columns."""
        return self.take(self.order_by(*names))

    def with_equals(self, but_for: str | None = None) -> Rows:
        """Returns the rows whose content, by `sha256`, is that of another row as well.

        Args:
          but_for: a column in which not all of these are to be alike.
        """
        content, _ = self.codes("sha256")
        if but_for is None:
            several = np.bincount(content + 1) > 1
        else:
            what, _ = self.codes(but_for)
            least, most = (
                np.full(content.max(initial=-1) + 2, len(self)),
                np.full(content.max(initial=-1) + 2, -1),
            )
            np.minimum.at(least, content + 1, what)
            np.maximum.at(most, content + 1, what)
            several = least < most
        return self.where((content >= 0) & several[content + 1])

    def with_columns_of(self, others: Rows, key: str) -> Rows:
        """Returns the rows with the columns of others that have the same key."""
        at = pc.index_in(self.column(key), value_set=others.column(key))
        table = self.table
        for name in others.table.column_names:
            if name != key:
                table = table.append_column(name, others.column(name).take(at))
        return Rows(table)

    def different(self, *names: str) -> int:
        """Returns how many different combinations of these columns there are."""
        found = np.zeros(len(self), np.int64)
        for name in names:
            codes, values = self.codes(name)
            found = np.unique(found * (len(values) + 1) + codes + 1, return_inverse=True)[1]
            found = found.reshape(-1)
        return int(found.max(initial=-1)) + 1

    def is_among(self, name: str, texts: Iterable[str]) -> np.ndarray:
        """Returns which rows have one of these texts: [rows] bool."""
        wanted = pa.array(list(texts), pa.string())
        column = self.column(name).cast(pa.string())
        found: np.ndarray = pc.is_in(column, value_set=wanted).to_numpy(zero_copy_only=False)
        return found


def _packed(name: str, texts: list[str | None]) -> pa.Array:
    if name in _SHARED:
        return pa.array(texts, pa.string()).dictionary_encode()
    if name in DIGESTS and (raw := _raw(texts)) is not None:
        return raw
    return pa.array(texts, pa.string())


def _raw(texts: list[str | None]) -> pa.Array | None:
    """Returns digests as bytes; None where some are no hexadecimal digits, or not of one length."""
    lengths = {len(text) for text in texts if text is not None}
    if len(lengths) != 1:
        return None
    try:
        raw = [None if text is None else bytes.fromhex(text) for text in texts]
    except ValueError:
        return None
    if any(of is not None and of.hex() != text for of, text in zip(raw, texts, strict=True)):
        return None
    return pa.array(raw, pa.binary(lengths.pop() // 2))


def _texts(column: pa.Array) -> list[Any]:
    found = column.to_pylist()
    if not pa.types.is_fixed_size_binary(column.type):
        return list(found)
    return [None if raw is None else raw.hex() for raw in found]


def _unpacked(table: pa.Table) -> list[Row]:
    rows: list[Row] = [{} for _ in range(table.num_rows)]
    for name in table.column_names:
        for row, text in zip(rows, _texts(_whole(table[name])), strict=True):
            if text is not None:
                row[name] = text
    return rows


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    if not column.num_chunks:
        return pa.array([], column.type)
    return pa.concat_arrays(column.unify_dictionaries().chunks)


def _fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table[field.name]
        if column.type != field.type:  # digests of which some are no hexadecimal digits
            column = pa.array(_texts(_whole(column)), pa.string())
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


def _without_columns(rows: int) -> pa.Table:
    return pa.table({"file": pa.nulls(rows, pa.string())})
