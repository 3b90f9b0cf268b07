"""The gate: what a model must reach before it is served. One function per rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from components.settings.gate import Gate

OVERALL = "overall"

_ROUNDING = 1e-9  # of a difference of two accuracies; a picture of ten million counts more


@dataclasses.dataclass(frozen=True)
class Metrics:
    """What TFMA measured of one model on the test split."""

    pictures: int
    accuracy: float
    class_recall: dict[str, float | None]  # in the class list's order; None without test pictures

    def as_dict(self) -> dict[str, Any]:
        """Gives the metrics as the command prints them."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Row:
    """One threshold and what became of it."""

    metric: str
    slice: str
    found: float | None  # None for what could not be measured
    needed: str
    passed: bool


def judge(
    gate: Gate, candidate: Metrics, baseline: Metrics | None, majority: float
) -> Iterator[Row]:
    """Gives a row for every threshold; the candidate may be served if all of them passed.

    Args:
      gate: the thresholds.
      candidate: of the new model.
      baseline: of the model served now, on the same pictures; None where none is served.
      majority: accuracy of always naming the class most frequent in the test split.
    """
    accuracy = candidate.accuracy
    yield _at_least("accuracy", OVERALL, accuracy, gate.min_accuracy)
    for name, recall in candidate.class_recall.items():
        yield _recall(name, recall, gate.min_class_recall)
    if gate.beats_majority_class:
        needed = f"> {majority:.4f} (always the most frequent class)"
        yield Row("accuracy_vs_majority", OVERALL, accuracy, needed, accuracy > majority)
    if baseline is not None:
        least = baseline.accuracy - gate.max_regression
        needed = f">= {least:.4f} (the model served now: {baseline.accuracy:.4f})"
        passed = accuracy >= least - _ROUNDING
        yield Row("accuracy_vs_served", OVERALL, accuracy, needed, passed)


def _recall(name: str, recall: float | None, least: float) -> Row:
    """What can't be measured passes only where nothing is asked."""
    if recall is None:
        return Row("recall", name, None, f">= {least:g} (no test pictures)", least == 0)
    return _at_least("recall", name, recall, least)


def _at_least(metric: str, of: str, found: float, least: float) -> Row:
    return Row(metric, of, found, f">= {least:g}", found >= least)
