"""The labels in doubt of one run: by features for `train` and `eval`, by predictions for `test`.

The features are those of the frozen base, which saw no label; linear heads are fitted to them in
folds, to so many pictures at a time: their records lie in an order that mixes the classes. Of
`test` the candidate's own predictions count: it was not trained on it. Where the run has no cached
features, `test` alone is looked at.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from tfx.types import Artifact

from components.artifacts import examples, features, ledger_rows, tfrecords
from components.artifacts import types as artifact_types
from components.artifacts.ledger_columns import CORRECTED_BY
from components.artifacts.predictions import CANDIDATE, Predictions
from components.artifacts.rows import Rows
from components.fit import linear_heads
from components.packed import Compressed, ordered
from components.report.confident_learning import ranked

_AT_ONCE, _OF_A_CLASS = 10_000, 50  # pictures at least; of 2,048 features, 80 MB
_COLUMNS = ("file", "sha256", "split", "group", CORRECTED_BY)


class Doubt(NamedTuple):
    """One picture, as models that have not seen it judge its label."""

    file: str
    sha256: str
    split: str
    label: str
    suggested: str  # the likeliest class beside the label
    score: float  # of that class, in [0, 1]
    label_score: float
    in_doubt: bool

    @property
    def margin(self) -> float:
        """The label's score minus the suggested class's: the lower, the more doubtful."""
        return self.label_score - self.score


def find(
    classes: list[str],
    report: str,
    bottlenecks: Artifact | None,
    predictions: Predictions | None,
) -> Compressed[Doubt]:
    """Returns all pictures whose label nobody has confirmed, the most doubtful first.

    Args:
      classes: the class list.
      report: the folder of the ingest report, whose ledger says what a person has looked at.
      bottlenecks: the features of `train` and `eval`.
      predictions: the candidate's for `test`.
    """
    found = _found(classes, report, bottlenecks, predictions)
    return ordered(Doubt, found, lambda doubt: (not doubt.in_doubt, doubt.margin, doubt.file))


def _found(
    classes: list[str],
    report: str,
    bottlenecks: Artifact | None,
    predictions: Predictions | None,
) -> Iterator[Doubt]:
    pieces = ledger_rows.read_pieces(report, _COLUMNS)
    accepted = Rows.joined([rows.where(rows.has("split")).table for rows in pieces])
    if bottlenecks is not None:
        for files, labels, values in _portions(classes, bottlenecks):
            if len(np.unique(labels)) > 1:
                own = accepted.where(accepted.is_among("file", files))
                together = _together(files, own)
                scores = linear_heads.out_of_fold(values, labels, len(classes), together)
                yield from _doubts(classes, files, labels, scores, own)
    if predictions is not None:
        scores = predictions.scores[CANDIDATE][:, : predictions.known]
        yield from _doubts(classes, predictions.files, predictions.labels, scores, accepted)


def _together(files: Sequence[str], accepted: Rows) -> list[str]:
    """Returns what keeps pictures in one fold: a head that saw an equal one knows its label."""
    rows = _known(files, accepted)
    return [(row := rows.get(file, {})).get("group") or row.get("sha256") or file for file in files]


def _known(files: Sequence[str], accepted: Rows) -> dict[str, dict[str, str]]:
    """Returns the rows of these files."""
    return {row["file"]: row for row in accepted.where(accepted.is_among("file", files))}


def _doubts(
    classes: list[str],
    files: Sequence[str],
    labels: np.ndarray,
    scores: np.ndarray,
    accepted: Rows,
) -> Iterator[Doubt]:
    judged = ranked(scores, labels)
    for start in range(0, len(files), _AT_ONCE):
        some = files[start : start + _AT_ONCE]
        rows = _known(some, accepted)
        for at, file in enumerate(some, start):
            row = rows.get(file)
            if row is None or CORRECTED_BY in row:
                continue
            label, suggested = int(labels[at]), int(judged.suggested[at])
            yield Doubt(
                file,
                row["sha256"],
                sys.intern(row["split"]),
                classes[label],
                classes[suggested],
                round(float(scores[at, suggested]), 6),
                round(float(scores[at, label]), 6),
                bool(judged.in_doubt[at]),
            )


def _portions(
    classes: list[str], bottlenecks: Artifact
) -> Iterator[tuple[list[str], np.ndarray, np.ndarray]]:
    """Yields names, labels and features [pictures, features] of so many pictures at a time."""
    position = {name: at for at, name in enumerate(classes)}
    folders = [
        artifact_types.path_in(bottlenecks, f"Split-{split}")
        for split in (features.TRAIN, features.EVAL)
    ]
    total = sum(map(tfrecords.count, folders))
    parts = max(1, total // max(_AT_ONCE, _OF_A_CLASS * len(classes)))
    records = (row for row in _records(folders) if row.text(features.LABEL) in position)
    while some := list(itertools.islice(map(_facts, records), math.ceil(total / parts))):
        files, labels, values = zip(*some, strict=True)
        yield list(files), np.array([position[label] for label in labels]), np.stack(values)


def _facts(row: examples.Example) -> tuple[str, str, np.ndarray]:
    """Returns name, label and features: [features] float32."""
    values = np.array(row.floats(features.BOTTLENECK), np.float32)
    return row.text(features.FILENAME), sys.intern(row.text(features.LABEL)), values


def _records(folders: list[str]) -> Iterator[examples.Example]:
    for folder in folders:
        yield from map(examples.Example, tfrecords.read_records(folder).as_numpy_iterator())


def documents(doubts: Iterable[Doubt]) -> Iterator[dict[str, Any]]:
    """Yields the rows as JSON can hold them."""
    return map(Doubt._asdict, doubts)
