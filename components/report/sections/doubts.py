"""The labels that are probably wrong, as pictures."""

from __future__ import annotations

from typing import Any

from components.report.page_data import Run, Section
from components.report.thumbnails import thumbnail

_SIDE = 200  # pixels


def _values(run: Run) -> dict[str, Any]:
    cards = [
        {
            "doubt": doubt,
            "image": thumbnail(run.doubtful_pictures[doubt.file], _SIDE)
            if doubt.file in run.doubtful_pictures
            else None,
        }
        for doubt in run.shown_doubts
    ]
    return {"total": len(run.in_doubt), "pictures": len(run.doubts), "cards": cards}


SECTION = Section("doubts", "Labels in doubt", _values, needs=("doubts",))
