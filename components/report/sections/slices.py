"""How the model does on parts of the test pictures."""

from __future__ import annotations

from typing import Any

from components.artifacts.predictions import SIZE
from components.report.page_data import Run, Section


def _values(run: Run) -> dict[str, Any]:
    rows = run.verdict["metrics"]["candidate"]["slices"]
    return {"rows": [{**row, "column": _name(row["column"])} for row in rows]}


def _name(column: str) -> str:
    return "shorter side" if column == SIZE else column


SECTION = Section("slices", "By slice", _values, needs=("verdict",))
