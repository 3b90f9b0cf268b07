"""The metrics of every class."""

from __future__ import annotations

from typing import Any

from components.report.page_data import Run, Section


def _values(run: Run) -> dict[str, Any]:
    candidate = run.verdict["metrics"]["candidate"]
    figures = ("pictures", "recall", "precision", "f1", "auc")
    rows = [
        {"name": name, **{figure: candidate[f"class_{figure}"][name] for figure in figures}}
        for name in run.classes
    ]
    macro = {figure: candidate[f"macro_{figure}"] for figure in figures[1:]}
    return {"rows": rows, "macro": {"pictures": candidate["pictures"], **macro}}


SECTION = Section("classes", "By class", _values, needs=("verdict",))
