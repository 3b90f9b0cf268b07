"""The ledger beside an ingest report: a row for every file, `ledger-*.jsonl`."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator

CORRECTED_BY = "corrected_by"
"""In a row: the entry of `data.corrections` that names the picture."""


def read(folder: str) -> Iterator[dict[str, str]]:
    """Yields the rows in an ingest report's folder; those with a `split` are accepted."""
    from tfx.dsl.io import fileio

    for path in sorted(fileio.glob(posixpath.join(folder, "ledger-*.jsonl"))):
        with fileio.open(path) as file:
            yield from map(json.loads, file)
