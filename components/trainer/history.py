"""The history of a training, epoch by epoch."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
from collections.abc import Callable
from typing import Any

from components.settings.training import Keep

FILE = "history.json"
"""The form of `History.as_json`, in the artifact of the training's record."""

Row = dict[str, Any]

BETTER: dict[Keep, Callable[[Row, Row], bool]] = {
    "best_loss": lambda row, kept: row["val_loss"] < kept["val_loss"],
    "best_accuracy": lambda row, kept: (
        (row["val_accuracy"], -row["val_loss"]) > (kept["val_accuracy"], -kept["val_loss"])
    ),
    "last": lambda row, kept: True,
}
"""By `training.keep`, whether an epoch takes the place of the one that is kept."""


@dataclasses.dataclass
class History:
    """A row per epoch over both phases, and the one whose weights are kept.

    A row holds `phase`, `epoch` (from 1), `loss`, `accuracy`, `val_loss`, `val_accuracy` (those of
    the `eval` split), `learning_rate` (at the epoch's end) and `seconds`.
    """

    epochs: list[Row] = dataclasses.field(default_factory=list)
    best_epoch: Row | None = None
    """The row whose weights are kept, by the rules of `training.keep`."""
    tuned: dict[str, Any] = dataclasses.field(default_factory=dict)
    """The values that Tuner found, by name, where they took the place of the configured ones."""

    precision: str = ""
    """In what the backbone's layers computed."""

    def add(self, row: Row, keep: Keep = "best_loss") -> bool:
        """Appends an epoch's row; returns whether its weights are to be kept.

        Never those of an epoch whose loss is no number.
        """
        self.epochs.append(row)
        if not math.isfinite(row["val_loss"]):
            return False
        if self.best_epoch is not None and not BETTER[keep](row, self.best_epoch):
            return False
        self.best_epoch = row
        return True

    @property
    def best_loss(self) -> float:
        """The loss on the `eval` split of the epoch that is kept."""
        return math.inf if self.best_epoch is None else self.best_epoch["val_loss"]

    def of(self, phase: str | None) -> list[Row]:
        """Returns the rows of one phase."""
        return [row for row in self.epochs if row["phase"] == phase]

    def gains(self) -> dict[str, dict[str, float]]:
        """Returns what each phase gained on the `eval` split.

        By phase, `val_loss` and `val_accuracy` of its best epoch, and as `loss_gained` and
        `accuracy_gained` how far that is from the best one before (nothing in the first phase).
        """
        found: dict[str, dict[str, float]] = {}
        before: Row | None = None
        for phase in dict.fromkeys(row["phase"] for row in self.epochs):
            best = min(self.of(phase), key=_finite_loss)
            found[phase] = {key: best[key] for key in ("val_loss", "val_accuracy")}
            if before is not None:
                found[phase]["loss_gained"] = before["val_loss"] - best["val_loss"]
                found[phase]["accuracy_gained"] = best["val_accuracy"] - before["val_accuracy"]
            if before is None or _finite_loss(best) < _finite_loss(before):
                before = best
        return found

    def as_json(self) -> str:
        """Returns the rows, the best one, each phase's gains, and what else is known.

        That is what Tuner found if it ran, and the precision.
        """
        facts = {"epochs": self.epochs, "best": self.best_epoch, "phases": self.gains()}
        further = {"tuned": self.tuned, "precision": self.precision}
        return json.dumps(facts | {key: value for key, value in further.items() if value}, indent=1)

    @classmethod
    def of_json(cls, text: str) -> History:
        """Returns the history of what `as_json` returned."""
        facts = json.loads(text)
        further = {"tuned": facts.get("tuned", {}), "precision": facts.get("precision", "")}
        return cls(epochs=facts["epochs"], best_epoch=facts["best"], **further)

    def as_csv(self) -> str:
        """Returns the rows, with their names above them."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(self.epochs[0]) if self.epochs else [])
        writer.writeheader()
        writer.writerows(self.epochs)
        return text.getvalue()


def _finite_loss(row: Row) -> float:
    """Returns the loss on `eval`; infinity where it is no number, which is no smaller than any."""
    loss: float = row["val_loss"]
    return loss if math.isfinite(loss) else math.inf
