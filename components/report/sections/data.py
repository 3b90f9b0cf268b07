"""How many pictures there are of what, what was rejected, and what was found of them."""

from __future__ import annotations

import collections
from typing import Any

from components.artifacts import features
from components.fit.class_weights import balanced
from components.report.page_data import Run, Section
from components.report.thumbnails import thumbnail

_SHOWN_REJECTS = 50
_SHOWN_ALIKE = 20
_SHOWN_PAIRS, _SIDE = 6, 128  # pairs as pictures, and their pixels


def _values(run: Run) -> dict[str, Any]:
    counts, rejected = run.ingest["counts"], run.ingest["rejected"]
    totals = {name: sum(counts[split][name] for split in features.SPLITS) for name in run.classes}
    weighed = run.configuration["training"]["class_weights"] == "balanced"
    weights = balanced(counts[features.TRAIN]) if weighed else {}
    rows = [
        {
            "name": name,
            "counts": [counts[split][name] for split in features.SPLITS],
            "share": totals[name] / sum(totals.values()),
            "weight": weights.get(name),
        }
        for name in run.classes
    ]
    return {
        "splits": features.SPLITS,
        "rows": rows,
        "weighed": weighed,
        "imbalance": _imbalance(totals),
        "totals": [sum(counts[split].values()) for split in features.SPLITS],
        "rejected": rejected[:_SHOWN_REJECTS],
        "rejected_total": len(rejected),
        "rejected_by_class": collections.Counter(row["label"] for row in rejected),
        "rejected_by_reason": run.ingest["rejected_by_reason"],
        "ignored": run.ingest["ignored"],
        "encoded_anew": run.ingest.get("encoded_anew", {}),
        "notes": run.ingest["notes"],
        "alike": [
            _alike("Near-duplicates across splits", _NEAR, run.ingest["near_duplicates"], run),
            _alike("Duplicates", _SAME, run.ingest["duplicates"], run),
        ],
        "findings": run.acceptance["findings"],
        "relabelled": (run.acceptance.get("changes") or _NO_CHANGES)["listed"]["relabelled"],
        "compared_with": run.acceptance["compared_with"],
    }


_NO_CHANGES: dict[str, Any] = {"listed": {"relabelled": []}}
_NEAR = (
    "pictures of eval or test look like one of a split that must not know them: the figures may be "
    "too good. data.group_by=near_duplicates keeps pictures that look alike in one split"
)
_SAME = "pictures repeat another of their class and split; each counts"


def _alike(title: str, what: str, found: dict[str, Any], run: Run) -> dict[str, Any]:
    listed = found["listed"][:_SHOWN_ALIKE]
    pairs = [
        {
            "apart": row["bits"],
            "pictures": [
                {"file": row[end], "image": thumbnail(run.alike[row[end]], _SIDE)}
                for end in ("file", "like")
            ],
        }
        for row in listed
        if "bits" in row and row["file"] in run.alike and row["like"] in run.alike
    ]
    return {
        **{"title": title, "what": what, "count": found["count"], "listed": listed},
        "pairs": pairs[:_SHOWN_PAIRS],
    }


def _imbalance(totals: dict[str, int]) -> dict[str, Any]:
    """The classes with the most and the fewest pictures, and how many times more the first has."""
    largest, smallest = max(totals, key=totals.__getitem__), min(totals, key=totals.__getitem__)
    ratio = totals[largest] / totals[smallest] if totals[smallest] else None
    return {"largest": largest, "smallest": smallest, "ratio": ratio}


SECTION = Section("data", "Data", _values, needs=("classes", "ingest"))
