"""Every threshold of the gate and what became of it."""

from __future__ import annotations

from typing import Any

from components.report.page_data import Run, Section

_SHOWN = 30  # thresholds; of more, those that a class has reached are folded away


def _values(run: Run) -> dict[str, Any]:
    intervals = run.verdict["metrics"]["candidate"]["intervals"]
    rows = [{**row, "interval": _interval(row, intervals)} for row in run.verdict["gate"]]
    if len(rows) <= _SHOWN:
        return {"shown": rows, "folded": []}
    folded = [row for row in rows if row["passed"] and row["slice"] in run.classes]
    return {"shown": [row for row in rows if row not in folded], "folded": folded}


def _interval(row: dict[str, Any], intervals: dict[str, Any]) -> list[float] | None:
    """The 95 % bounds of what a row found, where there are any."""
    by_class = intervals.get(f"class_{row['metric']}", {})
    if row["slice"] in by_class:
        return by_class[row["slice"]]
    metric = "accuracy" if row["metric"] == "accuracy_vs_majority" else row["metric"]
    return intervals.get(metric) if row["slice"] == "overall" else None


SECTION = Section("gate", "The gate", _values, needs=("verdict",))
