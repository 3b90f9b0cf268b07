"""Samples of the training pictures."""

from __future__ import annotations

import itertools
from typing import Any

from components.report.page_data import Run, Section
from components.report.thumbnails import thumbnail

_SIDE = 128  # pixels


def _values(run: Run) -> dict[str, Any]:
    by_class = itertools.groupby(run.samples, key=lambda sample: sample.label)
    rows = [
        {
            "label": label,
            "pictures": [
                {"file": sample.file, "image": thumbnail(sample.encoded, _SIDE)} for sample in found
            ],
        }
        for label, found in by_class
    ]
    return {"rows": rows, "left_out": len(run.classes) - len(rows)}


SECTION = Section("samples", "Sample pictures", _values, needs=("samples",))
