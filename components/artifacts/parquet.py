"""Parquet files of an artifact, read in pieces, on whatever file system they lie."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from components.files.paths import is_remote

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet as pq

SUFFIX = ".parquet"
PIECE = 16_384
"""Rows that are held as Python objects at a time."""


def opened(path: str) -> pq.ParquetFile:
    """Opens a file; one that is on no local disk is read as a whole."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    if not is_remote(path):
        return pq.ParquetFile(path)
    from tfx.dsl.io import fileio  # commands read local files without TFX

    with fileio.open(path, "rb") as file:
        return pq.ParquetFile(pa.BufferReader(file.read()))


def batches(
    path: str, columns: Collection[str] | None = None, row_group: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yields the rows of a file, or of one of its row groups, at most `PIECE` at a time.

    Args:
      path: of the file.
      columns: that are read, of those that are there; all where None.
      row_group: its number.
    """
    file = opened(path)
    if not file.num_row_groups:  # newer versions of pyarrow refuse to read none
        return
    names = [name for name in file.schema_arrow.names if columns is None or name in columns]
    groups = None if row_group is None else [row_group]
    yield from file.iter_batches(PIECE, row_groups=groups, columns=names)


def row_groups(path: str) -> int:
    """Returns into how many parts a file can be divided."""
    return int(opened(path).num_row_groups)


def write(path: str, table: pa.Table, row_group: int) -> None:
    """Writes a table in row groups of so many rows; the file's folder is there."""
    import pyarrow as pa
    from pyarrow import parquet as pq

    in_memory = pa.BufferOutputStream() if is_remote(path) else None
    to = path if in_memory is None else in_memory
    pq.write_table(table, to, row_group_size=row_group)
    if in_memory is not None:
        from tfx.dsl.io import fileio

        with fileio.open(path, "wb") as file:
            file.write(in_memory.getvalue().to_pybytes())
