"""The predictions of a run, which gate, paired test and report all read: the artifact's format.

`models.json` names the models: {"candidate": {"classes": [...]}, "baseline": null or {"version",
"classes": [...]} or {"version", "fault": TEXT}}, where a fault says why that model could not
predict. `predictions-*.jsonl` holds a row per test picture: {"file", "sha256", "label", "height",
"width", "columns": {NAME: TEXT}, "candidate": [scores], "baseline": [scores]}, the scores in the
order of their model's classes; and, where the candidate tells, "certain": true or false, and
"distance" to the training features.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from collections.abc import Iterable
from typing import Any

import numpy as np

from components.settings.gate import PICTURE_SIZE as SIZE

__all__ = [
    *("BASELINE", "CANDIDATE", "MODELS", "ROWS", "SIZE", "Predictions"),
    *("read", "read_from", "size_bucket"),
]

CANDIDATE, BASELINE = "candidate", "baseline"
MODELS = "models.json"
ROWS = "predictions"  # and what Beam adds to it


@dataclasses.dataclass(frozen=True)
class Predictions:
    """Every test picture with the models' predictions, sorted by file.

    Attributes:
      classes: the class list, then the classes that only the baseline knows. Labels and columns of
        scores are positions in it.
      known: how many of them are in the class list.
      files: [pictures] names.
      labels: [pictures] int64.
      scores: by model, [pictures, classes] float64; 0 where a model does not know the class.
      facts: [pictures] what slices are made of: `picture_size` and the manifest's columns.
      baseline: `version`, `classes` or `fault` of the model served, None if none was asked.
      certain: [pictures] bool, of the candidate; None where it does not tell.
      distances: [pictures] float64 to the training features, of the same; None likewise.
    """

    classes: list[str]
    known: int
    files: list[str]
    labels: np.ndarray
    scores: dict[str, np.ndarray]
    facts: list[dict[str, str]]
    baseline: dict[str, Any] | None
    certain: np.ndarray | None = None
    distances: np.ndarray | None = None

    @functools.cached_property
    def predicted(self) -> dict[str, np.ndarray]:
        """By model, the position of the best class: [pictures] int64."""
        return {model: scores.argmax(axis=1) for model, scores in self.scores.items()}

    def correct(self, model: str) -> np.ndarray:
        """Which pictures the model classified correctly: [pictures] bool."""
        return self.predicted[model] == self.labels

    @property
    def majority(self) -> float:
        """Accuracy of always naming the most frequent class of these pictures."""
        return float(np.bincount(self.labels).max() / len(self.labels))


def read(models: dict[str, Any], rows: Iterable[str]) -> Predictions:
    """Reads the content of `models.json` and the lines of the rows."""
    found = sorted((json.loads(row) for row in rows), key=lambda row: row["file"])
    classes = list(models[CANDIDATE]["classes"])
    known, baseline = len(classes), models[BASELINE]
    if baseline and "classes" in baseline:
        classes += [name for name in baseline["classes"] if name not in classes]
    position = {name: index for index, name in enumerate(classes)}
    scores = {}
    for model in (CANDIDATE, BASELINE):
        if models[model] and "classes" in models[model]:
            scores[model] = np.zeros((len(found), len(classes)))
            columns = [position[name] for name in models[model]["classes"]]
            given = [row[model] for row in found]
            scores[model][:, columns] = np.reshape(given, (len(found), len(columns)))
    return Predictions(
        classes=classes,
        known=known,
        files=[row["file"] for row in found],
        labels=np.array([position[row["label"]] for row in found], np.int64),
        scores=scores,
        facts=[{**row["columns"], SIZE: size_bucket(row)} for row in found],
        baseline=baseline,
        certain=_told(found, "certain", bool),
        distances=_told(found, "distance", float),
    )


def _told(rows: list[dict[str, Any]], key: str, kind: type) -> np.ndarray | None:
    if not rows or key not in rows[0]:
        return None
    return np.array([row[key] for row in rows], kind)


def size_bucket(row: dict[str, Any]) -> str:
    """Returns the shorter side's bucket: `256-511 px`."""
    least = 1 << (min(row["height"], row["width"]).bit_length() - 1)
    return f"{least}-{2 * least - 1} px"


def read_from(folder: str) -> Predictions:
    """Reads a Predictions artifact, on whatever file system it lies."""
    from tfx.dsl.io import fileio

    with fileio.open(os.path.join(folder, MODELS)) as file:
        models = json.loads(file.read())
    rows: list[str] = []
    for path in sorted(fileio.glob(os.path.join(folder, f"{ROWS}-*.jsonl"))):
        with fileio.open(path) as file:
            rows += file
    return read(models, rows)
