"""Prints measurements: the machine, a table, and whether a bound holds."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

_CONSOLE = Console(highlight=False, soft_wrap=True)
_PACKAGES = ("tfx", "tensorflow", "keras", "apache-beam")

MB = 1_000_000


def show_machine() -> None:
    """Prints machine, versions and date, without which a measurement means little."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    load = os.getloadavg()[0]
    say(
        f"{_processor()}, {os.cpu_count()} cores (load {load:.1f}), {platform.platform()}, "
        f"Python {platform.python_version()}, {versions}, {datetime.date.today()}"
    )


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def say(text: str) -> None:
    """Prints one line."""
    _CONSOLE.print(text, markup=False)


def show_table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Prints a table; all columns but the first hold numbers."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    _CONSOLE.print(table)


def show_bound(text: str, holds: bool) -> None:
    """Prints whether a bound that the project states holds."""
    say(f"{'HOLDS' if holds else 'DOES NOT HOLD'}: {text}")
