"""The mistakes that the model was surest of, as pictures."""

from __future__ import annotations

from typing import Any

from components.report.page_data import Run, Section
from components.report.thumbnails import thumbnail

_SIDE = 320  # pixels: sharp on a phone, some 15 kB


def _values(run: Run) -> dict[str, Any]:
    wrong = len(run.answers) - int(run.confusion.trace())
    cards = [
        {
            "file": mistake.file,
            "label": run.classes[mistake.label],
            "label_score": mistake.label_score,
            "predicted": run.classes[mistake.predicted],
            "score": mistake.score,
            "image": thumbnail(run.pictures[mistake.file], _SIDE),
        }
        for mistake in run.mistakes
    ]
    return {
        "wrong": wrong,
        "pictures": len(run.answers),
        "cards": cards,
        "run_id": run.run_id,
    }


SECTION = Section("mistakes", "Worst mistakes", _values, needs=("predictions",))
