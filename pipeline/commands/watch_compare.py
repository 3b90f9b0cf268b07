"""Compares records of served pictures with the data of the run that pushed the version.

Shifts are judged by the population stability index, the sum of (p - q) ln(p / q) over bins, which
credit scoring calls a shift from 0.2 or 0.25 on (Siddiqi 2006, "Credit Risk Scorecards"). Without
a shift it is distributed as chi-square with bins - 1 degrees of freedom, times 1 / pictures of
each side (Yurdakul and Naranjo 2020, "Statistical properties of the population stability index"):
it has to exceed that distribution's 99.9 % quantile, too, so that few pictures raise no alarm.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from components.artifacts.rate_interval import wilson
from serving.recording.record import Record

SHIFT = 0.2
"""Population stability index from which on a shift is told."""
LEAST = 50
"""Records of a version that are needed; fewer are too few to tell."""
DROP = 0.05
"""Accuracy that may be lost."""
_Z = 3.0902  # of the normal distribution: 0.1 % lie beyond, on one side
_RARE = 5  # reference pictures of a bin; those with fewer share one
_PARTS = 10


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reference:
    """The data that a version was trained and tested on.

    Attributes:
      distributions: of the training data's picture properties, {NAME: {"cuts", "counts"}}.
      predicted: [pictures] names of the classes that it predicted for `test`.
      scores: [pictures] theirs.
      accuracy: on `test`.
      certain: part of `test` of which it is certain; None where it does not tell.
      distances: [pictures] of `test` to the training features; None likewise.
    """

    distributions: Mapping[str, Mapping[str, list[float]]]
    predicted: Sequence[str]
    scores: np.ndarray
    accuracy: float
    certain: float | None = None
    distances: np.ndarray | None = None


def compare(records: Sequence[Record], reference: Reference) -> dict[str, Any]:
    """Returns {"records", "shifts": {NAME: index}, "estimated_accuracy", "findings": [TEXT], ...}.

    Args:
      records: of one version; a picture counts once.
      reference: of the same version.
    """
    count = len(records)
    scores = np.array([record.scores[0] for record in records])
    estimated = estimated_accuracy(scores, reference)
    found: dict[str, Any] = {
        "records": count,
        "tested_accuracy": reference.accuracy,
        "estimated_accuracy": estimated,
        "too_few": count < LEAST,
        "shifts": {},
        "findings": [],
    }
    if found["too_few"]:
        return found
    sides = {
        **_properties(records, reference),
        "predicted classes": _shares([each.classes[0] for each in records], reference.predicted),
        "scores": _counts(scores, reference.scores),
        **_distances(records, reference),
    }
    for name, (served, known) in sides.items():
        index, limit = stability_index(served, known)
        found["shifts"][name] = round(index, 4)
        if index > max(SHIFT, limit):
            found["findings"].append(
                f"{name}: population stability index {index:.2f}, {max(SHIFT, limit):.2f} allowed"
            )
    found["findings"] += _less_accurate(scores, reference, estimated)
    found["findings"] += _less_certain(records, reference)
    return found


def realised(
    records: Sequence[Record], labels: Mapping[str, str], reference: Reference | None
) -> dict[str, Any]:
    """Returns the accuracy on the recorded pictures whose label came later, with its interval.

    Args:
      records: of one version; a picture counts once.
      labels: classes by SHA-256, of the file or of the picture as it was sent.
      reference: of the version, where it is known.
    """
    pairs = [
        (record.classes[0], label)
        for record in records
        if (label := labels.get(record.sha256, labels.get(record.sent_sha256))) is not None
    ]
    right = sum(one == other for one, other in pairs)
    low, high = wilson(right, len(pairs))
    found: dict[str, Any] = {
        "labelled": len(pairs),
        "accuracy": right / len(pairs) if pairs else None,
        "interval": [low, high],
        "findings": [],
    }
    if pairs and reference and _is_below(right / len(pairs), high, reference.accuracy):
        found["findings"].append(
            f"realised accuracy {right / len(pairs):.3f} ({low:.3f} to {high:.3f}, "
            f"{len(pairs)} pictures): {reference.accuracy:.3f} on its test pictures"
        )
    return found


def _is_below(accuracy: float, high: float, tested: float) -> bool:
    """Checks whether an accuracy is under the tested one by more than may be lost and by chance."""
    return accuracy < tested - DROP and high < tested


def estimated_accuracy(scores: np.ndarray, reference: Reference) -> float | None:
    """Returns the tested accuracy plus the difference of the mean calibrated scores.

    Difference of confidences (Guillory et al. 2021, "Predicting with Confidence on Unseen
    Distributions"). Errors that are made with the same confidence as before go unseen.
    """
    if not len(scores) or not len(reference.scores):
        return None
    change = float(scores.mean() - reference.scores.mean())
    return min(1.0, max(0.0, reference.accuracy + change))


def stability_index(served: np.ndarray, known: np.ndarray) -> tuple[float, float]:
    """Returns the index of two lists of counts, and its 99.9 % quantile without a shift.

    Bins with few known pictures share one; half a picture is added to each bin.
    """
    rare = known < _RARE
    if rare.any():
        served = np.append(served[~rare], served[rare].sum())
        known = np.append(known[~rare], known[rare].sum())
    if len(known) < 2 or not served.sum() or not known.sum():
        return 0.0, 0.0
    parts = [(counts + 0.5) / (counts + 0.5).sum() for counts in (served, known)]
    index = float(((parts[0] - parts[1]) * np.log(parts[0] / parts[1])).sum())
    noise = 1 / served.sum() + 1 / known.sum()
    return index, float(noise * _chi_square_quantile(len(known) - 1))


def _chi_square_quantile(freedom: int) -> float:
    """Returns the 99.9 % quantile (Wilson and Hilferty 1931)."""
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + _Z * math.sqrt(part)) ** 3)


def _properties(
    records: Sequence[Record], reference: Reference
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    values = {
        "brightness": [each.brightness for each in records],
        "contrast": [each.contrast for each in records],
        "sharpness": [each.sharpness for each in records],
        "size": [math.sqrt(each.width * each.height) for each in records],
        "shape": [each.width / each.height for each in records],
    }
    found = {}
    for name, known in reference.distributions.items():
        if name in values:
            place = np.searchsorted(known["cuts"], np.round(values[name], 4))
            counts = np.asarray(known["counts"], float)
            found[name] = np.bincount(place, minlength=len(counts)).astype(float), counts
    return found


def _shares(served: Sequence[str], known: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    names = sorted({*served, *known})
    position = {name: at for at, name in enumerate(names)}
    served_counts, known_counts = (
        np.bincount([position[name] for name in side], minlength=len(names)).astype(float)
        for side in (served, known)
    )
    return served_counts, known_counts


def _distances(
    records: Sequence[Record], reference: Reference
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    found = [each.distance for each in records if each.distance is not None]
    if not found or reference.distances is None:
        return {}
    return {"distance to the training features": _counts(np.array(found), reference.distances)}


def _counts(served: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the counts of both sides between the tenths of the known one."""
    cuts = np.unique(np.quantile(known, np.arange(1, _PARTS) / _PARTS))
    served_counts, known_counts = (
        np.bincount(np.searchsorted(cuts, side), minlength=len(cuts) + 1).astype(float)
        for side in (served, known)
    )
    return served_counts, known_counts


def _less_accurate(scores: np.ndarray, reference: Reference, estimated: float | None) -> list[str]:
    if estimated is None:
        return []
    drop = reference.accuracy - estimated
    error = math.sqrt(scores.var() / len(scores) + reference.scores.var() / len(reference.scores))
    if drop <= max(DROP, _Z * error):
        return []
    return [
        f"estimated accuracy {estimated:.3f} by difference of confidences: "
        f"{reference.accuracy:.3f} on its test pictures"
    ]


def _less_certain(records: Sequence[Record], reference: Reference) -> list[str]:
    told = [each.certain for each in records if each.certain is not None]
    if reference.certain is None or not told:
        return []
    found, known = sum(told) / len(told), reference.certain
    tested = len(reference.scores)
    both = (sum(told) + known * tested) / (len(told) + tested)
    error = math.sqrt(both * (1 - both) * (1 / len(told) + 1 / tested))
    if known - found <= max(2 * DROP, _Z * error):
        return []
    return [
        f"certain of {found:.0%} (score and distance to the training features): "
        f"{known:.0%} of its test pictures"
    ]
