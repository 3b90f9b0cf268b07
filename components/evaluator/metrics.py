"""The metrics of one model on the test split, as plain data."""

from __future__ import annotations

import dataclasses
from typing import Any

ByName = dict[str, float | None]
"""In the class list's order; None where it can't be measured."""


@dataclasses.dataclass(frozen=True)
class Metrics:
    """TFMA's metrics of one model, with 95 % intervals.

    Macro averages are over the classes that have test pictures.

    Attributes:
      pictures: in the test split.
      top_k: the number of best classes among which `top_k_accuracy` looks for the true one.
      balanced_accuracy: mean recall, the same as `macro_recall`.
      log_loss: mean of -ln of the true class's score (no less than 1e-7).
      calibration_error: expected calibration error over 15 bins.
      class_auc: area under the ROC curve of a class against all others.
      intervals: 95 % bounds of what the gate reads.
      class_predicted: pictures taken for the class.
      slices: rows of `column`, `value` and some of these metrics.
    """

    pictures: int
    accuracy: float
    class_recall: ByName
    top_k: int
    top_k_accuracy: float
    balanced_accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    macro_auc: float | None
    log_loss: float
    calibration_error: float
    class_pictures: dict[str, int]
    class_precision: ByName
    class_f1: ByName
    class_auc: ByName
    intervals: dict[str, Any]
    slices: list[dict[str, Any]]
    class_predicted: dict[str, int] = dataclasses.field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Returns the metrics as the command prints them."""
        return dataclasses.asdict(self)
