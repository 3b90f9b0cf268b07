"""Recall and precision of every class."""

from __future__ import annotations

from typing import Any

import numpy as np

from components.report.run import Run, Section


def _values(run: Run) -> dict[str, Any]:
    return {"rows": class_rows(run.confusion, run.classes)}


def class_rows(confusion: np.ndarray, classes: list[str]) -> list[dict[str, Any]]:
    """Gives `name`, `pictures`, `recall` and `precision` of each class, in the given order.

    Recall is None for a class without test pictures, precision for one that was never predicted.
    """
    rows = []
    for index, name in enumerate(classes):
        right = int(confusion[index, index])
        pictures, predicted = int(confusion[index].sum()), int(confusion[:, index].sum())
        rows.append(
            {
                "name": name,
                "pictures": pictures,
                "recall": right / pictures if pictures else None,
                "precision": right / predicted if predicted else None,
            }
        )
    return rows


SECTION = Section("classes", "By class", _values)
