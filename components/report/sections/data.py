"""How many pictures there are of what, and what was rejected."""

from __future__ import annotations

import collections
from typing import Any

from components import features
from components.report.run import Run, Section

_SHOWN_REJECTS = 50


def _values(run: Run) -> dict[str, Any]:
    counts, rejected = run.ingest["counts"], run.ingest["rejected"]
    rows = [
        {"name": name, "counts": [counts[split][name] for split in features.SPLITS]}
        for name in run.classes
    ]
    return {
        "splits": features.SPLITS,
        "rows": rows,
        "totals": [sum(counts[split].values()) for split in features.SPLITS],
        "rejected": rejected[:_SHOWN_REJECTS],
        "rejected_total": len(rejected),
        "rejected_by_class": collections.Counter(row["label"] for row in rejected),
        "ignored": run.ingest["ignored"],
    }


SECTION = Section("data", "Data", _values)
