"""The predictions of a run, which gate, paired test and report all read: the artifact's format.

`models.json` names the models: {"candidate": {"classes": [...]}, "baseline": null or {"version",
"classes": [...]} or {"version", "fault": TEXT}}, where a fault says why that model could not
predict. A row per test picture lies in the files that `prediction_rows` describes.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.artifacts import prediction_rows
from components.artifacts.packed_texts import Texts
from components.packed import Packed
from components.settings.gate import PICTURE_SIZE as SIZE

__all__ = [
    *("BASELINE", "CANDIDATE", "MODELS", "SIZE", "Predictions"),
    *("Facts", "Layout", "facts_of", "read", "read_batches", "read_from", "read_models"),
    "size_bucket",
]

CANDIDATE, BASELINE = "candidate", "baseline"
MODELS = "models.json"


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where the classes of the models stand in `Predictions.classes`.

    Attributes:
      classes: the class list, then the classes that only the baseline knows.
      known: how many of them are in the class list.
      columns: of each model that predicted, the positions of its classes among them.
    """

    classes: list[str]
    known: int
    columns: dict[str, list[int]]

    @classmethod
    def of(cls, models: dict[str, Any]) -> Layout:
        """Returns the layout of what `models.json` describes."""
        classes = list(models[CANDIDATE]["classes"])
        known, asked = len(classes), {}
        for model in (CANDIDATE, BASELINE):
            if models[model] and "classes" in models[model]:
                asked[model] = models[model]["classes"]
                classes += [name for name in asked[model] if name not in classes]
        position = {name: index for index, name in enumerate(classes)}
        columns = {model: [position[name] for name in names] for model, names in asked.items()}
        return cls(classes, known, columns)

    def labels(self, batch: pa.RecordBatch) -> np.ndarray:
        """Returns the positions of the labels of some rows: [rows] int64."""
        encoded = batch.column("label").dictionary_encode()
        positions = [self._position[name] for name in encoded.dictionary.to_pylist()]
        return np.array(positions, np.int64)[encoded.indices.to_numpy()]

    def scores(self, batch: pa.RecordBatch, model: str) -> np.ndarray:
        """Returns a model's scores of some rows: [rows, classes] float64, 0 for unknown classes."""
        columns = self.columns[model]
        found = np.zeros((batch.num_rows, len(self.classes)))
        given = batch.column(model).flatten().to_numpy(zero_copy_only=False)
        found[:, columns] = given.reshape(batch.num_rows, len(columns))
        return found

    @functools.cached_property
    def _position(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.classes)}


class Facts(Packed[dict[str, str]]):
    """The values that slices are made of, by picture: `picture_size` and the manifest's columns."""

    def __init__(self, columns: pa.Array, exponent: np.ndarray):
        """Keeps the facts of some pictures.

        Args:
          columns: [pictures] JSON objects of the manifest's columns.
          exponent: [pictures] the binary logarithm of the shorter side, rounded down.
        """
        encoded = columns.dictionary_encode()
        self._kinds: list[dict[str, str]] = [*map(json.loads, encoded.dictionary.to_pylist())]
        self._kind = encoded.indices.to_numpy()
        self._exponent = exponent

    def __len__(self) -> int:
        return len(self._kind)

    def _item(self, at: int) -> dict[str, str]:
        return {**self._kinds[self._kind[at]], SIZE: _bucket(int(self._exponent[at]))}

    def values(self, name: str) -> tuple[np.ndarray, list[str]]:
        """Returns which value of a fact each picture has, "" for none.

        Returns:
          [pictures] positions among the values; the different values.
        """
        if name == SIZE:
            exponents, codes = np.unique(self._exponent, return_inverse=True)
            return codes.reshape(-1), [*map(_bucket, exponents.tolist())]
        texts = [kind.get(name, "") for kind in self._kinds]
        values = sorted(set(texts))
        place = {text: at for at, text in enumerate(values)}
        return np.array([place[text] for text in texts], np.int64)[self._kind], values

    @property
    def names(self) -> set[str]:
        """The columns that the pictures can be sliced by."""
        return {SIZE, *(name for kind in self._kinds for name in kind)}


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
    files: Sequence[str]
    labels: np.ndarray
    scores: dict[str, np.ndarray]
    facts: Facts
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
    """Reads the content of `models.json` and rows that are a JSON object each."""
    return read_batches(models, prediction_rows.of_lines(rows))


def read_batches(models: dict[str, Any], batches: Iterable[pa.RecordBatch]) -> Predictions:
    """Reads the content of `models.json` and the rows, a piece at a time."""
    layout = Layout.of(models)
    names, columns, labels, exponents, certain, distance = [], [], [], [], [], []
    scores: dict[str, list[np.ndarray]] = {model: [] for model in layout.columns}
    for batch in batches:
        names.append(batch.column("file"))
        columns.append(batch.column("columns"))
        labels.append(layout.labels(batch))
        exponents.append(_exponents(batch))
        certain.append(batch.column("certain"))
        distance.append(batch.column("distance"))
        for model, found in scores.items():
            found.append(layout.scores(batch, model))
    files = _joined(names, pa.string())
    order = pc.sort_indices(files).to_numpy()
    return Predictions(
        classes=layout.classes,
        known=layout.known,
        files=Texts(files.take(pa.array(order))),
        labels=_ordered(labels, order, np.zeros(0, np.int64)),
        scores={
            model: _ordered(scores.pop(model), order, np.zeros((0, len(layout.classes))))
            for model in layout.columns
        },
        facts=Facts(
            _joined(columns, pa.string()).take(pa.array(order)),
            _ordered(exponents, order, np.zeros(0, np.int8)),
        ),
        baseline=models[BASELINE],
        certain=_told(_joined(certain, pa.bool_()), order, bool),
        distances=_told(_joined(distance, pa.float64()), order, float),
    )


def facts_of(batch: pa.RecordBatch) -> Facts:
    """Returns what slices are made of, of some rows."""
    return Facts(batch.column("columns"), _exponents(batch))


def _joined(pieces: list[pa.Array], kind: pa.DataType) -> pa.Array:
    return pa.concat_arrays(pieces) if pieces else pa.array([], kind)


def _told(column: pa.Array, order: np.ndarray, kind: type) -> np.ndarray | None:
    """Returns what the candidate tells of the pictures in this order; None where it does not."""
    if not len(column) or column.null_count:
        return None
    found: np.ndarray = column.to_numpy(zero_copy_only=False).astype(kind)[order]
    return found


def _ordered(pieces: list[np.ndarray], order: np.ndarray, empty: np.ndarray) -> np.ndarray:
    """Returns the rows of all pieces in this order; each piece goes when it is copied."""
    total = len(order)
    found = np.empty((total, *empty.shape[1:]), empty.dtype)
    place = np.empty(total, np.int64)
    place[order] = np.arange(total)
    start = 0
    for at, piece in enumerate(pieces):
        found[place[start : start + len(piece)]] = piece
        start += len(piece)
        pieces[at] = empty
    return found


def _exponents(batch: pa.RecordBatch) -> np.ndarray:
    sides = [batch.column(side).to_numpy(zero_copy_only=False) for side in ("height", "width")]
    return (np.frexp(np.minimum(*sides).astype(float))[1] - 1).astype(np.int8)


def size_bucket(row: dict[str, Any]) -> str:
    """Returns the shorter side's bucket: `256-511 px`."""
    return _bucket(min(row["height"], row["width"]).bit_length() - 1)


def _bucket(exponent: int) -> str:
    least = 1 << exponent
    return f"{least}-{2 * least - 1} px"


def read_from(folder: str) -> Predictions:
    """Reads a Predictions artifact, on whatever file system it lies."""
    models = read_models(folder)
    return read_batches(models, _batches(prediction_rows.files(folder)))


def read_models(folder: str) -> dict[str, Any]:
    """Reads `models.json` of a Predictions artifact."""
    from tfx.dsl.io import fileio

    with fileio.open(os.path.join(folder, MODELS)) as file:
        found: dict[str, Any] = json.loads(file.read())
    return found


def _batches(paths: Iterable[str]) -> Iterator[pa.RecordBatch]:
    for path in paths:
        yield from prediction_rows.batches(path)
