"""The history of a training, epoch by epoch."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from components.settings.training import BEST_ACCURACY, BEST_LOSS, LAST

Row = dict[str, Any]


@dataclasses.dataclass
class History:
    """A row per epoch over both phases, and the best of them.

    A row holds `phase`, `epoch` (from 1), `loss`, `accuracy`, `val_loss`, `val_accuracy` (those of
    the `eval` split), `learning_rate` (at the epoch's end) and `seconds`.
    """

    epochs: list[Row] = dataclasses.field(default_factory=list)
    best_epoch: Row | None = None
    """The row of the epoch that is kept: that of the weights to export."""
    keep: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """By phase, which epoch is kept: a value of `training.keep`; the smallest loss if left out."""
    tuned: dict[str, Any] = dataclasses.field(default_factory=dict)
    """The values that Tuner found, by name, where they took the place of the configured ones."""

    def add(self, row: Row) -> bool:
        """Appends an epoch's row; returns whether it takes the place of the one kept so far.

        It does where it is better by the measure of its own phase.
        """
        self.epochs.append(row)
        if not self._replaces(row, self.best_epoch):
            return False
        self.best_epoch = row
        return True

    @property
    def best_loss(self) -> float:
        """The loss on the `eval` split of the kept epoch."""
        return math.inf if self.best_epoch is None else self.best_epoch["val_loss"]

    def _replaces(self, row: Row, kept: Row | None) -> bool:
        if math.isnan(row["val_loss"]):
            return False
        if kept is None:
            return row["val_loss"] < math.inf
        return _BETTER[self.keep.get(row["phase"], BEST_LOSS)](row, kept)

    def _kept_of(self, rows: Iterable[Row], kept: Row | None = None) -> Row | None:
        for row in rows:
            if self._replaces(row, kept):
                kept = row
        return kept

    def of(self, phase: str | None) -> list[Row]:
        """Returns the rows of one phase."""
        return [row for row in self.epochs if row["phase"] == phase]

    def gains(self) -> dict[str, dict[str, float]]:
        """Returns what each phase gained on the `eval` split.

        By phase, `val_loss` and `val_accuracy` of its best epoch by its own measure, and as
        `loss_gained` and `accuracy_gained` how far that is from the epoch that was kept before
        (nothing in the first phase).
        """
        found: dict[str, dict[str, float]] = {}
        before: Row | None = None
        for phase in dict.fromkeys(row["phase"] for row in self.epochs):
            best = self._kept_of(self.of(phase)) or self.of(phase)[0]
            found[phase] = {key: best[key] for key in ("val_loss", "val_accuracy")}
            if before is not None:
                found[phase]["loss_gained"] = before["val_loss"] - best["val_loss"]
                found[phase]["accuracy_gained"] = best["val_accuracy"] - before["val_accuracy"]
            before = self._kept_of(self.of(phase), before)
        return found

    def as_json(self) -> str:
        """Returns the rows, the kept one, each phase's gains, its `keep`, and what Tuner found."""
        facts: dict[str, Any] = {"epochs": self.epochs, "best": self.best_epoch}
        facts |= {"phases": self.gains(), "keep": dict(self.keep)}
        return json.dumps(facts | ({"tuned": self.tuned} if self.tuned else {}), indent=1)

    def as_csv(self) -> str:
        """Returns the rows, with their names above them."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.epochs[0]) if self.epochs else [])
        writer.writeheader()
        writer.writerows(self.epochs)
        return text.getvalue()


def _has_less_loss(row: Row, kept: Row) -> bool:
    return bool(row["val_loss"] < kept["val_loss"])


def _is_more_accurate(row: Row, kept: Row) -> bool:
    """An accuracy takes few values on a small `eval` split: of equal ones the loss decides."""
    accuracies = row["val_accuracy"], kept["val_accuracy"]
    return accuracies[0] > accuracies[1] or (
        accuracies[0] == accuracies[1] and _has_less_loss(row, kept)
    )


_BETTER: Mapping[str, Callable[[Row, Row], bool]] = {
    BEST_LOSS: _has_less_loss,
    BEST_ACCURACY: _is_more_accurate,
    LAST: lambda row, kept: True,
}
"""By the value of `training.keep`: whether a later epoch takes the place of the kept one."""
