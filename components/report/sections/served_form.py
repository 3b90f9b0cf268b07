"""Gain and cost of the SavedModel's precision and flips, where they are not the defaults."""

from __future__ import annotations

from typing import Any

from components.report.page_data import Run, Section

_NAMES = {"float32": "float32, no flips"}


def _values(run: Run) -> dict[str, Any]:
    found = run.export
    flips = " and ".join(found["average_flips"])
    served = found["precision"] + (f", mean over flips ({flips})" if flips else ", no flips")
    plain, form = found["rows"]
    gains = [
        {
            "size": fast["size"],
            "times": fast["pictures_per_second"] / slow["pictures_per_second"],
            "more_ms": fast["milliseconds"] - slow["milliseconds"],
        }
        for slow, fast in zip(plain["batches"], form["batches"], strict=True)
    ]
    rows = [{**row, "form": _NAMES.get(row["form"], served)} for row in found["rows"]]
    return {**found, "rows": rows, "gains": gains, "sizes": [gain["size"] for gain in gains]}


SECTION = Section("served_form", "The served network", _values, needs=("export",))
