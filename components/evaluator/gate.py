"""The gate: what a model must reach before it is served. One function per rule.

A rule yields a row for every threshold that it sets. A metric that could not be measured passes
only where nothing is required of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from components.evaluator.metrics import Metrics
from components.evaluator.paired import Pairs
from components.settings.gate import Gate

OVERALL = "overall"

_ROUNDING = 1e-9  # of a difference of two accuracies; a picture of ten million counts more


@dataclasses.dataclass(frozen=True)
class Row:
    """One threshold, what was found, and whether it passed."""

    metric: str
    slice: str
    found: float | None  # None for what could not be measured
    needed: str
    passed: bool


@dataclasses.dataclass(frozen=True)
class Served:
    """The model served now, beside the candidate on the same test pictures.

    Attributes:
      version: its number.
      of: which pictures: `overall`, or those of the classes that both models know.
      candidate, baseline: accuracies on them.
      pairs: the same in counts; None where it could not be asked.
      fault: why it could not be asked, or "".
    """

    version: str
    of: str = OVERALL
    candidate: float = 0.0
    baseline: float = 0.0
    pairs: Pairs | None = None
    fault: str = ""


def judge(gate: Gate, found: Metrics, majority: float, served: Served | None) -> Iterator[Row]:
    """Returns a row for every threshold; the candidate may be served if all of them passed.

    Args:
      gate: the thresholds.
      found: of the candidate.
      majority: accuracy of always naming the class most frequent in the test split.
      served: the comparison with the model served now; None where there is none to compare with.

    Raises:
      ConfigError: a threshold is set for a class that is not in the class list.
    """
    yield from _whole(gate, found)
    yield from _classes(gate, found)
    if gate.beats_majority_class:
        needed = f"> {majority:.4f} (always the most frequent class)"
        accuracy = found.accuracy
        yield Row("accuracy_vs_majority", OVERALL, accuracy, needed, accuracy > majority)
    if served is not None:
        yield _not_worse(gate, found, served)
        if gate.require_improvement:
            yield _better(gate, found, served)


def _whole(gate: Gate, found: Metrics) -> Iterator[Row]:
    yield _at_least("accuracy", OVERALL, found.accuracy, gate.min_accuracy)
    if gate.min_macro_f1 is not None:
        yield _at_least("macro_f1", OVERALL, found.macro_f1, gate.min_macro_f1)
    if gate.max_calibration_error is not None:
        error, most = found.calibration_error, gate.max_calibration_error
        yield Row("calibration_error", OVERALL, error, f"<= {most:g}", error <= most)


def _classes(gate: Gate, found: Metrics) -> Iterator[Row]:
    for name, pictures in found.class_pictures.items():
        if gate.min_class_pictures is not None:
            yield _at_least("test_pictures", name, float(pictures), gate.min_class_pictures)
    for name, recall in found.class_recall.items():
        least = gate.class_recall.get(name, gate.min_class_recall)
        yield _by_class("recall", name, recall, least, "no test pictures")
    for name, precision in found.class_precision.items():
        asked = gate.class_precision.get(name, gate.min_class_precision)
        if asked is not None:
            yield _by_class("precision", name, precision, asked, "no picture was taken for it")


def _by_class(metric: str, name: str, found: float | None, least: float, lack: str) -> Row:
    if found is None:
        return Row(metric, name, None, f">= {least:g} ({lack})", least == 0)
    return _at_least(metric, name, found, least)


def _at_least(metric: str, of: str, found: float, least: float) -> Row:
    return Row(metric, of, found, f">= {least:g}", found >= least)


def _not_worse(gate: Gate, found: Metrics, served: Served) -> Row:
    """Refuses a candidate that lies too far under the served model, beyond chance."""
    metric, pairs = "accuracy_vs_served", served.pairs
    if pairs is None:
        return _not_compared(metric, found, served, passed=gate.max_regression >= 1)
    least = served.baseline - gate.max_regression
    needed = f">= {least:.4f} (the model served now: {served.baseline:.4f})"
    if served.candidate >= least - _ROUNDING:
        return Row(metric, served.of, served.candidate, needed, True)
    beyond_noise = pairs.p_value <= 1 - gate.confidence
    needed += f", or lower by chance: {_paired(pairs)}"
    if not beyond_noise:
        needed += _too_few(pairs, gate.confidence)
    return Row(metric, served.of, served.candidate, needed, not beyond_noise)


def _better(gate: Gate, found: Metrics, served: Served) -> Row:
    metric, pairs = "better_than_served", served.pairs
    if pairs is None:
        return _not_compared(metric, found, served, passed=False)
    needed = f"> {served.baseline:.4f} (the model served now) beyond chance: {_paired(pairs)}"
    passed = pairs.gained > pairs.lost and pairs.p_value <= 1 - gate.confidence
    if pairs.gained > pairs.lost and not passed:
        needed += _too_few(pairs, gate.confidence)
    return Row(metric, served.of, served.candidate, needed, passed)


def _not_compared(metric: str, found: Metrics, served: Served, passed: bool) -> Row:
    needed = f"a comparison with version {served.version}, which can't be asked: {served.fault}"
    return Row(metric, OVERALL, found.accuracy, needed, passed)


def _paired(pairs: Pairs) -> str:
    return (
        f"{pairs.gained} of {pairs.pictures} pictures turned right, {pairs.lost} wrong "
        f"(exact McNemar test, p = {pairs.p_value:.3g})"
    )


def _too_few(pairs: Pairs, confidence: float) -> str:
    """Returns a clause on how many test pictures the paired test would need."""
    needed = pairs.pictures_needed(confidence)
    assert needed is not None, "asked only where the two differ"
    return f"; too few to tell, it would take some {max(needed, pairs.pictures + 1):,} pictures"
