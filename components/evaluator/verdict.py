"""The verdict: the gate's rows, the metrics behind them, and notes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from components.artifacts.predictions import BASELINE, CANDIDATE, SIZE, Predictions
from components.errors import ConfigError
from components.evaluator.gate import OVERALL, Row, Served
from components.evaluator.metrics import Metrics
from components.evaluator.paired import Pairs
from components.settings.gate import Gate
from serving.names import some

SHARED = "classes that both models know"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The gate's verdict on the candidate.

    Attributes:
      settings: the gate's thresholds.
      rows: one for each of them.
      metrics: by model.
      answered: the predictions.
      version: of the model served, "" where none is.
      unchanged: the candidate is the model served.
      further: sentences beside the verdict's own notes.
    """

    settings: Gate
    rows: list[Row]
    metrics: dict[str, Metrics]
    answered: Predictions
    version: str
    unchanged: bool
    further: list[str] = dataclasses.field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether every threshold was reached."""
        return all(row.passed for row in self.rows)

    @property
    def overridden(self) -> bool:
        """Whether a person's reason stands against a missed threshold."""
        return self.settings.bless is not None and not self.passed

    @property
    def blessed(self) -> bool:
        """Whether the candidate may be pushed."""
        return self.passed or self.overridden

    @property
    def word(self) -> str:
        """`unchanged`, `passed`, `blessed` (by a person, in spite of the gate) or `refused`."""
        if self.unchanged:
            return "unchanged"
        if self.overridden:
            return "blessed"
        return "passed" if self.passed else "refused"

    def document(self) -> dict[str, Any]:
        """Returns the content of `verdict.json`."""
        return {
            "verdict": self.word,
            "bless_reason": self.settings.bless if self.overridden else None,
            "gate": [dataclasses.asdict(row) for row in self.rows],
            "notes": list(self._notes()),
            "metrics": {model: of.as_dict() for model, of in self.metrics.items()},
            "served_version": self.version or None,
            "classes": self.answered.classes[: self.answered.known],
        }

    def _notes(self) -> Iterator[str]:
        if not self.version:
            yield "No model is served yet, so there is none to compare the candidate with."
        if self.unchanged:
            yield f"The candidate is the model served already, version {self.version}."
        if self.overridden:
            yield f"Blessed in spite of the gate: {self.settings.bless}"
        untold = [row for row in self.rows if row.untold]
        if untold:
            named = some([f"{row.metric} of {row.slice} ({row.counted})" for row in untold])
            yield (
                f"Too few test pictures to tell of {named}: passed. Add pictures, or set "
                "gate.strict=true to refuse them."
            )
        baseline = self.answered.baseline or {}
        if "fault" in baseline:
            yield (
                f"Version {self.version}, served now, can't be asked: {baseline['fault']}. To push "
                "all the same: run --bless REASON."
            )
        if not self.passed:
            yield from _too_few_to_miss(self.settings, self.metrics[CANDIDATE])
        yield from _other_classes(self.answered)
        yield from self.further


def _too_few_to_miss(settings: Gate, found: Metrics) -> Iterator[str]:
    """Yields a sentence per missed threshold of the whole that lies within the metric's interval.

    These rules compare what was found with what is needed: with few pictures that is luck.
    """
    asked = {"accuracy": settings.min_accuracy, "macro_f1": settings.min_macro_f1}
    for metric, least in asked.items():
        low, high = found.intervals[metric] or (0.0, 0.0)
        if least is not None and getattr(found, metric) < least <= high:
            yield (
                f"{found.pictures} test pictures are few for gate.min_{metric}={least:g}: by them "
                f"the true {metric} lies between {low:.2f} and {high:.2f} (95 %). More pictures "
                "tell, and often help training, too."
            )


def _other_classes(answered: Predictions) -> Iterator[str]:
    baseline = answered.baseline
    if baseline is None or "classes" not in baseline:
        return
    known = answered.classes[: answered.known]
    new = [name for name in known if name not in baseline["classes"]]
    gone = answered.classes[answered.known :]
    if new:
        yield (
            f"Version {baseline['version']}, served now, does not know {_listed(new)}; the models "
            "are compared on the pictures of the classes that both know."
        )
    if gone:
        yield (
            f"Version {baseline['version']}, served now, also knows {_listed(gone)}, which is no "
            "class any more; such an answer counts as wrong."
        )


def _listed(names: list[str]) -> str:
    return some(map(repr, names), 5)


def served(answered: Predictions) -> Served | None:
    """Compares candidate and baseline on the test pictures whose class both know."""
    baseline = answered.baseline
    if baseline is None:
        return None
    if "fault" in baseline:
        return Served(baseline["version"], fault=baseline["fault"])
    names = [answered.classes.index(name) for name in baseline["classes"]]
    right = (answered.correct(model) for model in (CANDIDATE, BASELINE))
    return compared(baseline["version"], np.isin(answered.labels, names), *right)


def compared(
    version: str, shared: np.ndarray, candidate: np.ndarray, baseline: np.ndarray
) -> Served:
    """Compares two models on the pictures whose class both know.

    Args:
      version: of the other model.
      shared: [pictures] bool, which those are.
      candidate, baseline: [pictures] bool, which pictures each classified correctly.
    """
    if not shared.any():
        return Served(version, fault="it knows none of the classes")
    candidate, baseline = candidate[shared], baseline[shared]
    return Served(
        version,
        of=OVERALL if shared.all() else SHARED,
        candidate=float(candidate.mean()),
        baseline=float(baseline.mean()),
        pairs=pairs(candidate, baseline),
    )


def pairs(candidate: np.ndarray, baseline: np.ndarray) -> Pairs:
    """Counts the pairs from which pictures each model classified correctly: [pictures] bool."""
    return Pairs(
        len(candidate), int((candidate & ~baseline).sum()), int((baseline & ~candidate).sum())
    )


def known_slices(settings: Gate, answered: Predictions) -> list[str]:
    """Returns the columns to slice by, each once.

    Raises:
      ConfigError: the gate names a class or a column that is not there.
    """
    for key in ("class_recall", "class_precision"):
        known = answered.classes[: answered.known]
        unknown = [name for name in getattr(settings, key) if name not in known]
        if unknown:
            raise ConfigError(
                f"gate.{key}: no class {_listed(unknown)}; the classes are {_listed(known)}. "
                "Correct the name, or remove it."
            )
    there = answered.facts.names
    missing = [name for name in settings.slices if name not in there]
    if missing:
        raise ConfigError(
            f"gate.slices: no column {_listed(missing)}; there are {_listed(sorted(there))}. "
            f"`{SIZE}` is always there, the others are columns of the manifest. Name such a column."
        )
    return list(dict.fromkeys(settings.slices))
