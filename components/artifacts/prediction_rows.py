"""The files of a Predictions artifact: one row per test picture, read in pieces.

`predictions-*.parquet` has the columns `file`, `sha256`, `label`, `height`, `width`, `columns` (a
JSON object of the manifest's further ones), `candidate` and `baseline` (scores in the order of
their model's classes; null where a model was not asked), `certain` and `distance` to the training
features (null where the candidate does not tell them). Earlier versions wrote
`predictions-*.jsonl`, a JSON object per line, which is read as well.
"""

from __future__ import annotations

import itertools
import json
import posixpath
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from components.artifacts import parquet

ROWS = "predictions"  # and what Beam adds to it
PATTERNS = (f"{ROWS}-*{parquet.SUFFIX}", f"{ROWS}-*.jsonl")

SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("sha256", pa.string()),
        ("label", pa.string()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("columns", pa.string()),
        ("candidate", pa.list_(pa.float64())),
        ("baseline", pa.list_(pa.float64())),
        ("certain", pa.bool_()),
        ("distance", pa.float64()),
    ]
)


def row(facts: dict[str, Any]) -> dict[str, Any]:
    """Returns a row as the schema has it, of one as a JSON object has it."""
    return {**facts, "columns": json.dumps(facts["columns"], ensure_ascii=False)}


def of_lines(lines: Iterable[str]) -> Iterator[pa.RecordBatch]:
    """Yields the rows of JSON objects, a piece at a time."""
    rows = map(row, map(json.loads, lines))
    while piece := list(itertools.islice(rows, parquet.PIECE)):
        columns = {name: [found.get(name) for found in piece] for name in SCHEMA.names}
        yield pa.RecordBatch.from_pydict(columns, schema=SCHEMA)


def batches(path: str, row_group: int | None = None) -> Iterator[pa.RecordBatch]:
    """Yields the rows of a file, or of one of its row groups, a piece at a time."""
    if path.endswith(parquet.SUFFIX):
        yield from parquet.batches(path, row_group=row_group)
        return
    from tfx.dsl.io import fileio

    with fileio.open(path) as file:
        yield from of_lines(file)


def parts(path: str) -> Iterator[tuple[str, int | None]]:
    """Yields what `batches` takes, for each part of a file that can be read on its own."""
    if not path.endswith(parquet.SUFFIX):
        yield path, None
        return
    for row_group in range(parquet.row_groups(path)):
        yield path, row_group


def files(folder: str) -> list[str]:
    """Returns the files of an artifact's folder, on whatever file system it lies."""
    from tfx.dsl.io import fileio

    found = [fileio.glob(posixpath.join(folder, pattern)) for pattern in PATTERNS]
    return sorted(itertools.chain.from_iterable(found))
