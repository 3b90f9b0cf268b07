"""The command `check`: what a run would read, without running it."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from rich.console import Console
from rich.progress import track
from rich.table import Table

from components.errors import DataError
from components.image_example_gen import sources
from components.image_example_gen.reading import Ledger, Row, read
from components.settings.data import Data

_READ_BY_PROGRAMS = ("accepted", "rejected", "ignored", "counts")


def check(data: Data, as_json: bool) -> None:
    """Prints the pictures per class and split, and what a run would reject or stop at.

    With `as_json` standard output has what programs read, and the notes go to standard error.

    Raises:
      UserError: there is nothing to read.
    """
    from components.image_example_gen.ingest_report import ingest_report  # brings NumPy

    listing = sources.scan(data)
    ledger = Ledger.of(_rows(listing.files, data))
    report = ingest_report(listing, ledger)
    notes = [*report["notes"], *_refusal(ledger, report["counts"], data)]
    if as_json:
        for note in notes:
            print(note, file=sys.stderr)
        print(json.dumps({key: report[key] for key in _READ_BY_PROGRAMS}, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(_table(report["counts"], listing.classes))
    for row in ledger.rejected:
        console.print(f"rejected  {row['file']}: {row['reason']}", markup=False)
    for note in notes:
        console.print(note, markup=False)
    console.print(
        f"{len(ledger.accepted)} accepted, {len(ledger.rejected)} rejected, "
        f"{listing.ignored} ignored"
    )


def _refusal(ledger: Ledger, counts: dict[str, dict[str, int]], data: Data) -> list[str]:
    """Says why a run would stop after reading."""
    from components.image_example_gen.limits import check_limits

    try:
        check_limits(ledger, counts, data)
    except DataError as error:
        return [f"A run would stop here: {error}"]
    return []


def _rows(files: list[sources.SourceFile], data: Data) -> list[Row]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rows = pool.map(partial(_row, data=data), files, chunksize=16)
        shown = Console(stderr=True)
        return list(track(rows, "Reading", total=len(files), console=shown, transient=True))


def _row(file: sources.SourceFile, data: Data) -> Row:
    return read(file, data)[1]


def _table(counts: dict[str, dict[str, int]], classes: list[str]) -> Table:
    table = Table("class", *counts)
    for name in classes:
        table.add_row(name, *(str(by_class[name]) for by_class in counts.values()))
    table.add_section()
    table.add_row("all", *(str(sum(by_class.values())) for by_class in counts.values()))
    return table
