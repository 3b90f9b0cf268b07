"""The model card (Mitchell et al. 2019, "Model Cards for Model Reporting"), in Markdown."""

from __future__ import annotations

import re
from typing import Any

from components.report.environment import environment
from components.report.page_data import Run
from serving.names import shown

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&-])")
_LISTED_CLASSES = 30  # in the sentence about them; the table holds all


def card(run: Run) -> str:
    """Returns the card of a run whose candidate was judged."""
    made = environment()
    made.filters["md"] = escape
    candidate = run.verdict["metrics"]["candidate"]
    return made.get_template("card.md.j2").render(
        run=run,
        candidate=candidate,
        classes=run.classes,
        listed=_LISTED_CLASSES,
        totals={split: sum(counts.values()) for split, counts in run.ingest["counts"].items()},
        weak=_weak(candidate),
        missed=[row for row in run.verdict["gate"] if not row["passed"]],
    )


def escape(text: Any) -> str:
    """Returns text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", shown(text))


def _weak(candidate: dict[str, Any]) -> list[str]:
    """The classes with the lowest recall, the lowest first."""
    recall = {name: value for name, value in candidate["class_recall"].items() if value is not None}
    return sorted(recall, key=lambda name: recall[name])[:5]
