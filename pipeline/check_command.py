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

from components.image_example_gen import sources
from components.image_example_gen.reading import Ledger, Row, read
from components.settings import Data


def check(data: Data, as_json: bool) -> None:
    """Prints the pictures per class and split, and those that a run would reject.

    What `notes` say of the source goes to standard error with `as_json`.

    Raises:
      UserError: there is nothing to read.
    """
    listing = sources.scan(data)
    ledger = Ledger.of(_rows(listing.files, data))
    counts = ledger.counts(listing.classes)
    if as_json:
        print(*listing.notes, sep="\n", end="\n" if listing.notes else "", file=sys.stderr)
        result = {
            "accepted": len(ledger.accepted),
            "rejected": ledger.rejected,
            "ignored": listing.ignored,
            "counts": counts,
        }
        print(json.dumps(result, ensure_ascii=False))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(_table(counts, listing.classes))
    for row in ledger.rejected:
        console.print(f"rejected  {row['file']}: {row['reason']}", markup=False)
    for note in listing.notes:
        console.print(note, markup=False)
    console.print(
        f"{len(ledger.accepted)} accepted, {len(ledger.rejected)} rejected, "
        f"{listing.ignored} ignored"
    )


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
