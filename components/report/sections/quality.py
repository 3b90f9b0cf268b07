"""Pictures that are unlike the others, by class, and what alone tells the class."""

from __future__ import annotations

from typing import Any

from components.report.page_data import Run, Section
from components.report.thumbnails import thumbnail

_SIDE = 128  # pixels


def _values(run: Run) -> dict[str, Any]:
    found = run.quality
    before = found["before"] or {"counts": {}, "median": {}}
    classes = {name for counts in found["counts"].values() for name in counts}
    return {
        "classes": [name for name in run.classes if name in classes],
        "rows": [
            {
                "kind": kind,
                "counts": counts,
                "total": sum(counts.values()),
                "before": sum(before["counts"].get(kind, {}).values())
                if before["median"]
                else None,
                "pictures": [
                    {"file": row["file"], "image": thumbnail(run.unusual[row["file"]], _SIDE)}
                    for row in found["listed"][kind]
                    if row["file"] in run.unusual
                ],
            }
            for kind, counts in found["counts"].items()
        ],
        "medians": [
            {"name": name, "now": value, "before": before["median"].get(name)}
            for name, value in found["median"].items()
        ],
        "shortcuts": found["shortcuts"],
    }


SECTION = Section("quality", "Picture quality", _values, needs=("quality", "classes"))
