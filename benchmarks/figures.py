"""Shows what a benchmark measured, and notes it in its record."""

from __future__ import annotations

import contextlib
import contextvars
import importlib.metadata
import os
import platform
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.record import Record, today
from components import processor

_CONSOLE = Console(highlight=False, soft_wrap=True)
_PACKAGES = ("tfx", "tensorflow", "keras", "apache-beam")
_NOTED: contextvars.ContextVar[Record | None] = contextvars.ContextVar("record", default=None)

MB = 1_000_000


@contextlib.contextmanager
def recorded(benchmark: str) -> Iterator[Record]:
    """Shows the machine, and gathers in a record what is shown inside the block.

    The record is written where the block ends well: half a benchmark leaves the record before.
    """
    record = Record(
        benchmark=benchmark,
        date=today(),
        machine={
            "processor": _processor(),
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0],
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        versions={name: importlib.metadata.version(name) for name in _PACKAGES},
    )
    say(", ".join(f"{key} {value}" for key, value in (record.machine | record.versions).items()))
    token = _NOTED.set(record)
    try:
        yield record
    finally:
        _NOTED.reset(token)
    say(f"recorded in {record.write()}")


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    half = "bfloat16" if processor.fast_in_bfloat16() else "float32"
    return f"{next(names, platform.machine())} that computes in {half}"


def say(text: str) -> None:
    """Prints one line."""
    _CONSOLE.print(text, markup=False)


def show_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Prints a table; all columns but the first hold measured values."""
    columns, rows = list(columns), [list(row) for row in rows]
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    _CONSOLE.print(table)
    if record := _NOTED.get():
        record.tables.append({"title": title, "columns": columns, "rows": rows})


def show_bound(text: str, holds: bool) -> None:
    """Prints whether a bound that the project states holds."""
    say(f"{'HOLDS' if holds else 'DOES NOT HOLD'}: {text}")
    if record := _NOTED.get():
        record.bounds.append({"text": text, "holds": bool(holds)})
