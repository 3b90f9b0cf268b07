"""Which test pictures changed sides against the model served until now."""

from __future__ import annotations

from typing import Any

from components.report.page_data import Run, Section
from components.report.picture_predictions import Change
from components.report.thumbnails import thumbnail

_SIDE = 200  # pixels


def _values(run: Run) -> dict[str, Any]:
    assert run.predictions is not None
    baseline, names = run.predictions.baseline, run.predictions.classes

    def card(change: Change) -> dict[str, Any]:
        return {
            "file": change.file,
            "label": names[change.label],
            "before": names[change.before],
            "now": names[change.now],
            "image": thumbnail(run.pictures[change.file], _SIDE),
        }

    right, wrong = run.changes
    in_doubt = {doubt.file for doubt in run.in_doubt}
    shown_right, shown_wrong = run.shown_changes
    return {
        "baseline": baseline,
        "compared": baseline is not None and "classes" in baseline,
        "sides": [
            {"title": "Turned wrong", "total": len(wrong), "cards": list(map(card, shown_wrong))},
            {"title": "Turned right", "total": len(right), "cards": list(map(card, shown_right))},
        ],
        "doubted": bool(run.doubts),
        "wrong_in_doubt": sum(change.file in in_doubt for change in wrong),
        "pictures": len(run.predictions.files),
        "notes": run.verdict["notes"],
        "metrics": run.verdict["metrics"],
    }


SECTION = Section("changes", "Against the model served", _values, needs=("predictions",))
