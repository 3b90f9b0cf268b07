"""Heat maps of the places that speak for the predicted class."""

from __future__ import annotations

from typing import Any

from components.report.page_data import Run, Section
from components.report.picture_predictions import Answer
from components.report.thumbnails import heated

_SIDE = 224  # pixels


def _values(run: Run) -> dict[str, Any]:
    shown = [answer for answer in run.looked_at if answer.file in run.heat_maps]
    wrong = [_card(run, answer) for answer in shown if answer.predicted != answer.label]
    right = [_card(run, answer) for answer in shown if answer.predicted == answer.label]
    return {"left_out": run.no_heat_maps, "groups": [("Mistakes", wrong), ("Correct", right)]}


def _card(run: Run, answer: Answer) -> dict[str, Any]:
    image, heat = run.configuration["image"], run.heat_maps[answer.file]
    size = image["size"] or [1, 1]  # the backbones' own sizes are square
    return {
        "file": answer.file,
        "label": run.classes[answer.label],
        "predicted": run.classes[answer.predicted],
        "score": answer.score,
        "wrong": answer.predicted != answer.label,
        "image": heated(run.pictures[answer.file], heat, size, image["fit"], _SIDE),
    }


SECTION = Section("heat_maps", "Where the model looked", _values, needs=("told_of_heat_maps",))
