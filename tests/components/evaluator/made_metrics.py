"""Metrics of a model made up on the spot."""

from __future__ import annotations

from typing import Any

from components.evaluator.metrics import Metrics


def metrics(**figures: Any) -> Metrics:
    """Perfect on 100 pictures of cats and dogs, but for these figures."""
    perfect = {"cats": 1.0, "dogs": 1.0}
    values: dict[str, Any] = {
        "pictures": 100,
        "accuracy": 1.0,
        "class_recall": perfect,
        "top_k": 1,
        "top_k_accuracy": 1.0,
        "balanced_accuracy": 1.0,
        "macro_precision": 1.0,
        "macro_recall": 1.0,
        "macro_f1": 1.0,
        "macro_auc": 1.0,
        "log_loss": 0.0,
        "calibration_error": 0.0,
        "class_pictures": {"cats": 50, "dogs": 50},
        "class_predicted": {"cats": 50, "dogs": 50},
        "class_precision": perfect,
        "class_f1": perfect,
        "class_auc": perfect,
        "intervals": {"accuracy": (0.96, 1.0), "macro_f1": (0.96, 1.0)},
        "slices": [],
    }
    return Metrics(**{**values, **figures})
