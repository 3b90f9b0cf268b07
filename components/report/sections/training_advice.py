"""Advises on the training's history: one small rule per sentence.

A rule reads the rows of history.json (`phase`, `epoch`, and `accuracy` and `loss` on `train` and,
with `val_`, on `eval`) and the best of them. It returns a sentence, or None where it sees nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from components.report.dead_features import DeadFeatures

Row = dict[str, Any]

_GAP = 0.10  # accuracy on train above that on eval
_LOST = 0.02  # accuracy on eval
_FALL = 0.01  # of the loss, over the last epochs
_LAST = 3  # epochs
_DEAD = 0.2  # of the features


def advice(history: dict[str, Any]) -> list[str]:
    """Returns the sentences of all rules that see something; none where nothing was learned.

    Args:
      history: `epochs`, one row each, and the `best` of them or None.
    """
    best = history["best"]
    rows = [row for row in history["epochs"] if _is_finite(row["val_loss"])]
    if best is None or not rows:
        return []
    return [said for rule in RULES if (said := rule(rows, best))]


def overfitting(rows: list[Row], best: Row) -> str | None:
    """Compares the accuracy on both splits in the exported epoch."""
    row = next((row for row in rows if _place(row) == _place(best)), None)
    if row is None or row["accuracy"] - row["val_accuracy"] < _GAP:
        return None
    return (
        f"Overfitting: the exported epoch has an accuracy of {_percent(row['accuracy'])} on train "
        f"and {_percent(row['val_accuracy'])} on eval. More pictures help most; besides them "
        "training.augmentation, a higher model.head.dropout, weight_decay, or a smaller trainable "
        "part (training.unfrozen.from_layer)."
    )


def still_falling(rows: list[Row], best: Row) -> str | None:
    """Looks for phases whose last epoch was their best by a clear step."""
    found = []
    for phase in dict.fromkeys(row["phase"] for row in rows):
        losses = [row["val_loss"] for row in rows if row["phase"] == phase]
        before = losses[-_LAST:][0]
        if losses[-1] == min(losses) and before - losses[-1] > _FALL * abs(before):
            found.append(phase)
    if not found:
        return None
    keys = " and ".join(f"training.{phase}.epochs" for phase in found)
    return (
        f"The eval loss was still falling when phase {' and phase '.join(found)} ended: more "
        f"epochs ({keys}) are likely to lower it further."
    )


def accuracy_thrown_away(rows: list[Row], best: Row) -> str | None:
    """Looks for an epoch that was not kept, and that was more often right."""
    most = max(rows, key=lambda row: row["val_accuracy"])
    lost = most["val_accuracy"] - best["val_accuracy"]
    if lost < _LOST:
        return None
    return (
        f"The exported epoch has an accuracy of {_percent(best['val_accuracy'])} on eval; epoch "
        f"{most['epoch']} of phase {most['phase']} had {_percent(most['val_accuracy'])}, "
        f"{100 * lost:.1f} points more. training.keep=best_accuracy exports that one. A loss that "
        "rises where accuracy does means scores that are too sure: training.label_smoothing=0.1 or "
        "a smaller learning_rate brings the two together."
    )


RULES: tuple[Callable[[list[Row], Row], str | None], ...] = (
    overfitting,
    still_falling,
    accuracy_thrown_away,
)
"""In the page's order. A new one is a function above and a line here."""


def on_features(found: DeadFeatures | None) -> list[str]:
    """Returns a sentence where a fifth of the cached features or more are zero in all pictures."""
    if found is None or found.dead < _DEAD * found.features:
        return []
    return [
        f"{found.dead:,} of {found.features:,} features "
        f"({_percent(found.dead / found.features)}) are zero in all of {found.pictures:,} pictures "
        "of train: the head learns nothing from them. Lower layers (model.features), larger "
        "pictures (image.size) or another backbone may tell more of these pictures; "
        "`transfer-pipeline tournament` compares backbones."
    ]


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _place(row: Row) -> tuple[str, int]:
    return row["phase"], row["epoch"]


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.0f} %"
