"""The ledger beside an ingest report: a row for every file, by name, in `ledger-*.parquet`.

Each file holds at most a million rows, in row groups that are read one by one. Earlier versions
wrote `ledger-*.jsonl`, which is read as well.
"""

from __future__ import annotations

import itertools
import json
import posixpath
from collections.abc import Collection, Iterator

import pyarrow as pa

from components.artifacts import parquet
from components.artifacts.ledger_columns import OFFSET, PLACE
from components.artifacts.parquet import PIECE
from components.artifacts.rows import Row, Rows

_MOST = 1 << 20  # rows of a file
_GROUP = 1 << 15  # rows of a row group: what is read where some pictures are looked up


def write(folder: str, rows: Rows) -> None:
    """Writes a ledger into an ingest report's folder."""
    files = max(1, -(-len(rows) // _MOST))
    for number in range(files):
        part = rows.table.slice(number * _MOST, _MOST)
        name = f"ledger-{number:05}-of-{files:05}{parquet.SUFFIX}"
        parquet.write(posixpath.join(folder, name), part, _GROUP)


def read(folder: str, columns: Collection[str] | None = None) -> Iterator[Row]:
    """Yields the rows in an ingest report's folder; those with a `split` are accepted.

    Args:
      folder: of the report, on whatever file system.
      columns: those that are wanted; all if left out.
    """
    for rows in read_pieces(folder, columns):
        yield from rows


def read_pieces(folder: str, columns: Collection[str] | None = None) -> Iterator[Rows]:
    """Yields the rows in an ingest report's folder, a piece at a time."""
    from tfx.dsl.io import fileio

    for path in sorted(fileio.glob(posixpath.join(folder, f"ledger-*{parquet.SUFFIX}"))):
        for batch in parquet.batches(path, columns):
            yield Rows(pa.Table.from_batches([batch]))
    for path in sorted(fileio.glob(posixpath.join(folder, "ledger-*.jsonl"))):
        with fileio.open(path) as file:
            lines = map(json.loads, file)
            while piece := list(itertools.islice(lines, PIECE)):
                yield Rows.of(piece)


def places(folder: str, files: Collection[str]) -> dict[str, tuple[str, str, int]] | None:
    """Returns split, file and offset of the records of these pictures, by name.

    The row groups that can hold none of them are not read. None where the ledger is of an earlier
    version, which has no places.
    """
    from tfx.dsl.io import fileio

    found: dict[str, tuple[str, str, int]] = {}
    are_known = False
    for path in sorted(fileio.glob(posixpath.join(folder, f"ledger-*{parquet.SUFFIX}"))):
        opened = parquet.opened(path)
        names = opened.schema_arrow.names
        if PLACE not in names:
            continue
        are_known = True
        at = names.index("file")
        for group in range(opened.num_row_groups):
            bounds = opened.metadata.row_group(group).column(at).statistics
            if bounds is not None and bounds.has_min_max:
                here = [file for file in files if bounds.min <= file <= bounds.max]
            else:
                here = list(files)
            if not here:
                continue
            table = opened.read_row_group(group, ["file", "split", PLACE, OFFSET])
            rows = Rows(table)
            for row in rows.where(rows.is_among("file", here)):
                if PLACE in row and "split" in row:
                    found[row["file"]] = row["split"], row[PLACE], int(row[OFFSET])
    return found if are_known else None
