"""The mistakes that the model was surest of, as pictures."""

from __future__ import annotations

import shlex
from typing import Any

from components.report.page_data import Run, Section
from components.report.thumbnails import thumbnail
from components.settings.runtime import Runtime

_ROOT = Runtime().root
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
        "of_root": _of_root(run),
    }


def _of_root(run: Run) -> str:
    """Returns the option that names the run's root; "" for the one by default."""
    root = run.configuration.get("runtime", {}).get("root", _ROOT)
    return "" if root == _ROOT else f" --root {shlex.quote(root)}"


SECTION = Section("mistakes", "Worst mistakes", _values, needs=("predictions",))
