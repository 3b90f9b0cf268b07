"""Every threshold of the gate and what became of it."""

from __future__ import annotations

from typing import Any

from components.report.run import Run, Section

_SHOWN = 30  # thresholds; of more, those that a class has reached are folded away


def _values(run: Run) -> dict[str, Any]:
    rows = run.verdict["gate"]
    if len(rows) <= _SHOWN:
        return {"shown": rows, "folded": []}
    folded = [row for row in rows if row["passed"] and row["slice"] in run.classes]
    return {"shown": [row for row in rows if row not in folded], "folded": folded}


SECTION = Section("gate", "The gate", _values)
