"""Which pictures are unlike the others, and whether brightness or size alone tells the class.

What is unusual is so against the set's own middle, so that a set of X-rays is not all dark: the
modified z-score, (value - median) / (1.4826 MAD), lies beyond 3.5 (Iglewicz and Hoaglin, "How to
Detect and Handle Outliers", 1993). The divisor has a floor, for sets that are all alike.
"""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from components.artifacts.parquet import PIECE
from components.artifacts.rows import Rows
from components.fit import linear_heads
from components.image_example_gen.quality import KEY
from components.image_example_gen.verdicts import Row
from serving.names import shown, some

_BEYOND = 3.5
_ONE_COLOUR = 1.0  # grey levels of standard deviation
_LISTED = 20  # pictures of a kind
_TELLS = 0.5  # of the pictures outside the largest class
_LEAST, _MOST, _MOST_SCORES = 50, 2_000, 250_000  # pictures that are asked; times classes


class _Measure(NamedTuple):
    """One measure of a picture."""

    values: np.ndarray  # [pictures]
    floor: float  # of the divisor

    def score(self) -> np.ndarray:
        """Returns the modified z-scores: [pictures]."""
        apart = self.values - np.median(self.values)
        return np.asarray(apart / max(1.4826 * float(np.median(np.abs(apart))), self.floor))


def document(accepted: Sequence[Row], before: dict[str, Any] | None = None) -> dict[str, Any]:
    """Returns what the ingest report says of the pictures' quality; {} without pictures.

    median: of each measure: brightness, contrast (grey levels), sharpness, width, height, bytes.
    distributions: of all pictures, {MEASURE: {"cuts", "counts"}}: see `_distribution`.
    counts: the unusual pictures by kind and class; classes: all pictures by class.
    listed: by kind, the most unusual first, as {"file", "label"}.
    shortcuts: [{"by", "accuracy", "majority"}]: of a cross-validated logistic regression on nothing
      but these measures, beside the share of the largest class.
    before: `median` and `counts` of the run before, or None.
    """
    every = Rows.of(accepted)
    rows = every.where(every.has(KEY))
    if not len(rows):
        return {}
    table = _table(rows)
    label, labels = rows.shared("label")
    measures = _measures(table)
    kinds = _kinds(measures, table[:, 1])
    names = ("brightness", "contrast", "sharpness", "width", "height", "bytes")
    return {
        "median": dict(zip(names, np.median(table, axis=0).round(1).tolist(), strict=True)),
        "distributions": _distributions(table),
        "classes": dict(zip(labels, np.bincount(label).tolist(), strict=True)),
        "counts": {
            kind: {
                labels[at]: count
                for at, count in collections.Counter(label[order].tolist()).items()
            }
            for kind, order in kinds.items()
        },
        "listed": {
            kind: [
                {key: row[key] for key in ("file", "label")} for row in rows.take(order[:_LISTED])
            ]
            for kind, order in kinds.items()
        },
        "shortcuts": list(_shortcuts(rows, measures)),
        "before": before and {key: before[key] for key in ("median", "counts", "classes")},
    }


def _table(rows: Rows) -> np.ndarray:
    """Returns the measures of all pictures: [pictures, 6] float64."""
    found = np.empty((len(rows), 6))
    texts = rows.texts(KEY)
    for start in range(0, len(rows), PIECE):
        piece = [str(text).split() for text in itertools.islice(texts, PIECE)]
        found[start : start + len(piece)] = np.array(piece, float)
    return found


def notes(found: dict[str, Any]) -> Iterator[str]:
    """Yields sentences on what `document` returned that a person may want to look at."""
    if unusual := {kind: sum(counts.values()) for kind, counts in found.get("counts", {}).items()}:
        told = [
            f"{number} {kind} ({shown(found['listed'][kind][0]['file'])})"
            for kind, number in unusual.items()
        ]
        yield f"Unusual among these pictures: {some(told)}."
    for row in found.get("shortcuts", ()):
        if row["accuracy"] - row["majority"] >= _TELLS * (1 - row["majority"]):
            yield (
                f"{row['by'].capitalize()} alone tell the class of {row['accuracy']:.0%} of the "
                f"pictures (the largest class has {row['majority']:.0%}): a model may learn that "
                "in place of what they show. Look for classes that come from different sources."
            )


def _distributions(table: np.ndarray) -> dict[str, dict[str, list[float]]]:
    """Returns how the measures are distributed, for what a served model is asked later."""
    brightness, contrast, sharpness, width, height, _ = table.T
    measures = {
        "brightness": brightness,
        "contrast": contrast,
        "sharpness": sharpness,
        "size": np.sqrt(width * height),
        "shape": width / height,
    }
    return {name: _distribution(values) for name, values in measures.items()}


def _distribution(values: np.ndarray) -> dict[str, list[float]]:
    """Returns counts of the bins between `cuts`, each with its upper cut.

    Cuts are deciles; a value that is a tenth of all by itself has a bin of its own.
    """
    values = np.round(values, 4)
    deciles = np.quantile(values, np.arange(1, 10) / 10, method="inverted_cdf")
    cuts = set(deciles.tolist())
    cuts |= {cut - 0.00005 for cut in cuts if (values == cut).mean() >= 0.1}
    edges = sorted(cuts)
    counts = np.bincount(np.searchsorted(edges, values), minlength=len(edges) + 1)
    return {"cuts": edges, "counts": counts.tolist()}


def _measures(table: np.ndarray) -> dict[str, _Measure]:
    """Returns the measures; sizes and the like by their binary logarithms."""
    brightness, contrast, sharpness, width, height, size = table.T
    return {
        "brightness": _Measure(brightness, 8.0),
        "contrast": _Measure(np.log2(contrast + 1), 0.3),
        "sharpness": _Measure(np.log2(sharpness + 1), 0.5),
        "size": _Measure(np.log2(width * height) / 2, 0.3),
        "shape": _Measure(np.log2(width / height), 0.15),
        "bytes": _Measure(np.log2(size + 1), 0.3),
    }


def _kinds(measures: dict[str, _Measure], contrast: np.ndarray) -> dict[str, np.ndarray]:
    """Returns by kind the positions of its pictures, the most unusual first; no empty kind."""
    scores = {name: measure.score() for name, measure in measures.items()}
    flat = contrast < _ONE_COLOUR
    found = {
        "dark": -scores["brightness"],
        "light": scores["brightness"],
        "blurred": np.where(flat, 0, -scores["sharpness"]),
        "low in contrast": np.where(flat, 0, -scores["contrast"]),
        "odd in size": np.abs(scores["size"]),
        "odd in shape": np.abs(scores["shape"]),
        "of one colour": np.where(flat, np.inf, 0),
    }
    orders = {kind: np.argsort(-score, kind="stable") for kind, score in found.items()}
    beyond = {kind: orders[kind][: int((found[kind] > _BEYOND).sum())] for kind in found}
    return {kind: order for kind, order in beyond.items() if len(order)}


_ALONE = {
    "brightness and contrast": ("brightness", "contrast"),
    "size and shape": ("size", "shape"),
    "bytes of the files": ("bytes",),
}


def _shortcuts(rows: Rows, measures: dict[str, _Measure]) -> Iterator[dict[str, Any]]:
    every, classes = rows.shared("label")
    most = min(_MOST, _MOST_SCORES // len(classes))
    asked = np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int)
    if len(asked) < max(_LEAST, 5 * len(classes)) or len(classes) < 2:
        return
    labels = every[asked]
    together = [str(text) for text in rows.take(asked).texts("sha256")]
    for by, names in _ALONE.items():
        values = np.stack([measures[name].score()[asked] for name in names], axis=1)
        bounded = np.clip(values, -10, 10)
        features = np.hstack([bounded, bounded**2, np.tanh(bounded)])
        scores = linear_heads.out_of_fold(features, labels, len(classes), together)
        yield {
            "by": by,
            "accuracy": round(float((scores.argmax(axis=1) == labels).mean()), 4),
            "majority": round(float(np.bincount(labels).max() / len(labels)), 4),
        }
