"""The labels in doubt of one run: by features for `train` and `eval`, by predictions for `test`.

The features are those of the frozen base, which saw no label; linear heads are fitted to them in
folds. Of `test` the candidate's own predictions count: it was not trained on it. Where the run has
no cached features, `test` alone is looked at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from tfx.types import Artifact

from components.artifacts import examples, features, ledger_rows, tfrecords
from components.artifacts import types as artifact_types
from components.artifacts.ledger_columns import CORRECTED_BY
from components.artifacts.predictions import CANDIDATE, Predictions
from components.fit import linear_heads
from components.report.confident_learning import ranked

_MOST_NUMBERS = 10**8  # of all features, 400 MB; with more they are projected
_PROJECTED = 512  # features that are left then

_COLUMNS = ("file", "sha256", "split", "group", CORRECTED_BY)
_Rows = dict[str, dict[str, str]]  # of the ledger, by file


@dataclasses.dataclass(frozen=True)
class Doubt:
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
) -> list[Doubt]:
    """Returns all pictures whose label nobody has confirmed, the most doubtful first.

    Args:
      classes: the class list.
      report: the folder of the ingest report, whose ledger says what a person has looked at.
      bottlenecks: the features of `train` and `eval`.
      predictions: the candidate's for `test`.
    """
    rows = {row["file"]: row for row in ledger_rows.read(report, _COLUMNS) if "split" in row}
    found = []
    if bottlenecks is not None:
        found += _of_features(classes, bottlenecks, rows)
    if predictions is not None:
        scores = predictions.scores[CANDIDATE][:, : predictions.known]
        found += list(_doubts(classes, predictions.files, predictions.labels, scores, rows))
    return sorted(found, key=lambda doubt: (not doubt.in_doubt, doubt.margin, doubt.file))


def _of_features(classes: list[str], bottlenecks: Artifact, rows: _Rows) -> list[Doubt]:
    files, labels, values = _features(classes, bottlenecks)
    if len(set(labels)) < 2:
        return []
    positions = np.array(labels, np.int64)
    together = [_group(rows.get(file, {}), file) for file in files]
    scores = linear_heads.out_of_fold(values, positions, len(classes), together)
    return list(_doubts(classes, files, positions, scores, rows))


def _group(row: dict[str, str], file: str) -> str:
    """Returns what keeps pictures in one fold: a head that saw an equal one knows its label."""
    return row.get("group") or row.get("sha256") or file


def _doubts(
    classes: list[str], files: Sequence[str], labels: np.ndarray, scores: np.ndarray, rows: _Rows
) -> Iterator[Doubt]:
    judged = ranked(scores, labels)
    for at, file in enumerate(files):
        row = rows.get(file)
        if row is None or CORRECTED_BY in row:
            continue
        label, suggested = int(labels[at]), int(judged.suggested[at])
        yield Doubt(
            file,
            row["sha256"],
            row["split"],
            classes[label],
            classes[suggested],
            round(float(scores[at, suggested]), 6),
            round(float(scores[at, label]), 6),
            bool(judged.in_doubt[at]),
        )


def _features(classes: list[str], bottlenecks: Artifact) -> tuple[list[str], list[int], np.ndarray]:
    """Returns names, labels and features [pictures, features]; of variants of one, the mean."""
    position = {name: at for at, name in enumerate(classes)}
    folders = [
        artifact_types.path_in(bottlenecks, f"Split-{split}")
        for split in (features.TRAIN, features.EVAL)
    ]
    total = sum(map(tfrecords.count, folders))
    project: np.ndarray | None = None
    sums: dict[str, np.ndarray] = {}
    variants: dict[str, int] = {}
    labels: dict[str, int] = {}
    for row in _records(folders):
        values = np.array(row.floats(features.BOTTLENECK), np.float32)
        if total * len(values) > _MOST_NUMBERS:
            if project is None:
                shape = (len(values), _PROJECTED)
                project = np.random.default_rng(0).standard_normal(shape, np.float32)
            values = values @ project
        file, label = row.text(features.FILENAME), row.text(features.LABEL)
        if file and label in position:
            sums[file] = sums[file] + values if file in sums else values
            variants[file] = variants.get(file, 0) + 1
            labels[file] = position[label]
    files = sorted(sums)
    means = [sums[file] / variants[file] for file in files]
    return files, [labels[file] for file in files], np.array(means, np.float32)


def _records(folders: list[str]) -> Iterator[examples.Example]:
    for folder in folders:
        yield from map(examples.Example, tfrecords.read_records(folder).as_numpy_iterator())


def documents(doubts: list[Doubt]) -> list[dict[str, Any]]:
    """Returns the rows as JSON can hold them."""
    return [dataclasses.asdict(doubt) for doubt in doubts]
