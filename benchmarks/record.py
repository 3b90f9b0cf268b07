"""The record of a benchmark: what it showed, on which machine, when, with which versions.

`python -m benchmarks NAME` writes `benchmarks/records/NAME.json`; `python -m benchmarks --tables`
makes the tables of README.md and docs/scale.md anew from the records.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent
RECORDS = _FOLDER / "records"
README = _FOLDER / "README.md"
SCALE = _FOLDER.parent / "docs" / "scale.md"
_PLACE = re.compile(r"(<!-- record: (\S+) -->\n).*?(<!-- end -->)", re.S)


@dataclasses.dataclass(kw_only=True)
class Record:
    """The results of one benchmark.

    Attributes:
      benchmark: its name.
      date: as 2026-11-26.
      machine: processor, number of cores, load before, system and Python.
      versions: of the libraries that decide the figures.
      tables: as shown: title, columns and rows, whose first cell names the row.
      bounds: each sentence about a stated bound, and whether it holds.
    """

    benchmark: str
    date: str
    machine: dict[str, Any]
    versions: dict[str, str]
    tables: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    bounds: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def write(self) -> Path:
        """Writes the record; returns its file."""
        RECORDS.mkdir(exist_ok=True)
        path = RECORDS / f"{self.benchmark}.json"
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n")
        return path

    @classmethod
    def read(cls, benchmark: str) -> Record:
        """Reads the record of a benchmark.

        Raises:
          FileNotFoundError: it was never run.
        """
        return cls(**json.loads((RECORDS / f"{benchmark}.json").read_text()))

    def as_markdown(self) -> str:
        """Returns machine and date, the tables, and whether the bounds hold."""
        machine, versions = self.machine, ", ".join(map(" ".join, self.versions.items()))
        lines = [
            f"{self.date}, {machine['processor']}, {machine['cores']} cores (load"
            f" {machine['load']:.1f}), Python {machine['python']}, {versions}:",
            "",
        ]
        for table in self.tables:
            lines += [table["title"], "", _row(table["columns"])]
            lines += [_row(["---"] * len(table["columns"])), *map(_row, table["rows"]), ""]
        lines += [
            f"- {'holds' if bound['holds'] else '**does not hold**'}: {bound['text']}"
            for bound in self.bounds
        ]
        return "\n".join(lines).rstrip() + "\n"


def today() -> str:
    return datetime.date.today().isoformat()


def with_tables(text: str) -> str:
    """Returns a document whose places `<!-- record: NAME --> ... <!-- end -->` show the records.

    Raises:
      FileNotFoundError: a place names a benchmark that has no record.
    """
    return _PLACE.sub(
        lambda place: f"{place[1]}\n{Record.read(place[2]).as_markdown()}\n{place[3]}", text
    )


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
