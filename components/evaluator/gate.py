"""The gate: what a model must reach before it is served. One function per rule.

A rule yields a row for every threshold that it sets. Of a class there may be few test pictures: it
is refused where they show that it misses its threshold, and not for bad luck with some of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from components.evaluator import binomial
from components.evaluator.metrics import Metrics
from components.evaluator.paired import Pairs
from components.settings.gate import Gate

if TYPE_CHECKING:
    import numpy as np  # `versions` and `runs` read rows without it

OVERALL = "overall"

_ROUNDING = 1e-9  # of a difference of two accuracies; a picture of ten million counts more


_TOO_FEW = "too few to tell ("


@dataclasses.dataclass(frozen=True)
class Row:
    """One threshold, what was found, and whether it passed."""

    metric: str
    slice: str
    found: float | None  # None for what could not be measured
    needed: str
    passed: bool

    @property
    def untold(self) -> bool:
        """Whether it passed for want of test pictures that would tell."""
        return self.passed and _TOO_FEW in self.needed

    @property
    def counted(self) -> str:
        """Returns the counts of a row of which there are too few pictures, as in `1 of 4`."""
        return self.needed.rpartition(_TOO_FEW)[2].removesuffix(")")


@dataclasses.dataclass(frozen=True)
class Served:
    """The model served now, or an older one, beside the candidate on the same test pictures.

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

    @property
    def ahead(self) -> float:
        """By how much it is better than the candidate: what versions that know different classes,
        and so are asked for different pictures, can be ordered by."""
        return self.baseline - self.candidate


def judge(
    gate: Gate,
    found: Metrics,
    majority: float,
    served: Served | None,
    reference: Served | None = None,
) -> Iterator[Row]:
    """Returns a row for every threshold; the candidate may be served if all of them passed.

    Args:
      gate: the thresholds.
      found: of the candidate.
      majority: accuracy of always naming the class most frequent in the test split.
      served: the comparison with the model served now; None where there is none to compare with.
      reference: likewise with an older version, by `gate.reference`.

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
        yield not_worse(gate, found.accuracy, served, "accuracy_vs_served", "the model served now")
        if gate.require_improvement:
            yield _better(gate, found, served)
    if reference is not None:
        name = f"version {reference.version}, the best that is kept"
        if gate.reference != "best":
            name = f"version {reference.version}, by gate.reference"
        yield not_worse(gate, found.accuracy, reference, "accuracy_vs_reference", name)


def _whole(gate: Gate, found: Metrics) -> Iterator[Row]:
    yield at_least("accuracy", OVERALL, found.accuracy, gate.min_accuracy)
    if gate.min_macro_f1 is not None:
        yield at_least("macro_f1", OVERALL, found.macro_f1, gate.min_macro_f1)
    if gate.max_calibration_error is not None:
        error, most = found.calibration_error, gate.max_calibration_error
        yield Row("calibration_error", OVERALL, error, f"<= {most:g}", error <= most)


def _classes(gate: Gate, found: Metrics) -> Iterator[Row]:
    for name, pictures in found.class_pictures.items():
        if gate.min_class_pictures is not None:
            yield at_least("test_pictures", name, float(pictures), gate.min_class_pictures)
    for name, recall in found.class_recall.items():
        least = gate.class_recall.get(name, gate.min_class_recall)
        of = found.class_pictures.get(name, 0)
        yield by_class(gate, "recall", name, Count(recall, of), least, "no test pictures")
    for name, precision in found.class_precision.items():
        asked = gate.class_precision.get(name, gate.min_class_precision)
        if asked is not None:
            count = Count(precision, found.class_predicted.get(name, 0))
            yield by_class(gate, "precision", name, count, asked, "no picture was taken for it")


class Count(NamedTuple):
    """A rate of right answers, None where there are no pictures, and out of how many."""

    rate: float | None
    pictures: int

    @property
    def right(self) -> int:
        """How many are right."""
        return round((self.rate or 0.0) * self.pictures)


def by_class(gate: Gate, metric: str, name: str, count: Count, least: float, lack: str) -> Row:
    """Refuses a class that misses its threshold, as far as its pictures tell.

    Args:
      gate: the thresholds.
      metric: of the row.
      name: the class.
      count: what was found.
      least: the threshold.
      lack: a phrase that says what there is none of, where the rate is None.
    """
    needed, rate = f">= {least:g}", count.rate
    reached = rate >= least if rate is not None else least == 0
    if gate.strict or least == 0:
        return Row(
            metric, name, rate, needed if rate is not None else f"{needed} ({lack})", reached
        )
    refused = binomial.is_below(count.right, count.pictures, least, gate.confidence)
    # With so few pictures not even none right would be told from chance.
    hopeless = not binomial.is_below(0, count.pictures, least, gate.confidence)
    if hopeless or not (reached or refused):
        needed += f", {_TOO_FEW}{count.right} of {count.pictures})"
    return Row(metric, name, rate, needed, reached or not refused)


def certain(gate: Gate, wanted: float, of: np.ndarray, correct: np.ndarray) -> Row:
    """Refuses a candidate whose certain predictions are not as often right as they are to be.

    As far as the test pictures tell, as of a class.

    Args:
      gate: the thresholds.
      wanted: accuracy of certain predictions.
      of: [pictures] bool, which predictions are certain.
      correct: [pictures] bool.
    """
    count = Count(float(correct[of].mean()) if of.any() else None, int(of.sum()))
    row = by_class(gate, "certain_accuracy", OVERALL, count, wanted, "no prediction is certain")
    answered = f"answers {of.mean():.1%} of the pictures"
    if count.rate is not None:
        answered += f" at {count.rate:.1%}"
    least = f">= {wanted:g}"
    return dataclasses.replace(row, needed=row.needed.replace(least, f"{least} ({answered})", 1))


def at_least(metric: str, of: str, found: float, least: float) -> Row:
    """Refuses what lies under a threshold."""
    return Row(metric, of, found, f">= {least:g}", found >= least)


def not_worse(gate: Gate, accuracy: float, served: Served, metric: str, name: str) -> Row:
    """Refuses a candidate that lies too far under another model, beyond chance.

    Args:
      gate: the thresholds.
      accuracy: of the candidate, on all pictures.
      served: the comparison with the other model.
      metric: of the row.
      name: a phrase that names the other model.
    """
    pairs = served.pairs
    if pairs is None:
        return _not_compared(metric, accuracy, served, passed=gate.max_regression >= 1)
    least = served.baseline - gate.max_regression
    needed = f">= {least:.4f} ({name}: {served.baseline:.4f})"
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
        return _not_compared(metric, found.accuracy, served, passed=False)
    needed = f"> {served.baseline:.4f} (the model served now) beyond chance: {_paired(pairs)}"
    passed = pairs.gained > pairs.lost and pairs.p_value <= 1 - gate.confidence
    if pairs.gained > pairs.lost and not passed:
        needed += _too_few(pairs, gate.confidence)
    return Row(metric, served.of, served.candidate, needed, passed)


def _not_compared(metric: str, accuracy: float, served: Served, passed: bool) -> Row:
    needed = f"a comparison with version {served.version}, which can't be asked: {served.fault}"
    return Row(metric, OVERALL, accuracy, needed, passed)


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
