"""Runs TFMA on the predictions, and reads the gate's metrics from its result.

TFMA reads the Predictions artifact and not the models: they are asked once, and a baseline with
other classes or signatures can't make the evaluation fail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2

from components.artifacts import features, prediction_rows
from components.artifacts.predictions import (
    BASELINE,
    CANDIDATE,
    Layout,
    Predictions,
    facts_of,
    read_models,
)
from components.evaluator import intervals, tfma_figures
from components.evaluator.metrics import Metrics

_TOP_K = 5

TFMA_NAMES = {
    "accuracy": tfma_figures.ACCURACY,
    "top_k_accuracy": tfma_figures.TOP_K_ACCURACY,
    "log_loss": tfma_figures.LOG_LOSS,
    "calibration_error": tfma_figures.CALIBRATION,
    **{name: name for name in tfma_figures.ENTIRE},
}
"""TFMA's names of the metrics of all pictures."""

_LABEL = "label"
_OWN = {_LABEL, features.LABEL, CANDIDATE, BASELINE}
"""Names in the rows that TFMA reads; those of the manifest's columns stand beside them."""
_OF_MANIFEST = "column/"

SliceKey = tuple[tuple[str, str], ...]


def top_k(predictions: Predictions) -> int:
    """Returns the `k` of top-k accuracy: five, or less where five would cover every class."""
    return max(1, min(_TOP_K, predictions.known - 1))


def eval_config(predictions: Predictions, slices: Sequence[str]) -> config_pb2.EvalConfig:
    """Returns TFMA's configuration: labels are positions in `predictions.classes`."""
    names = names_in_tfma(predictions)
    metrics = [
        config_pb2.MetricConfig(
            class_name="ClassifierFigures",
            module=tfma_figures.__name__,
            config=json.dumps(
                {
                    "k": top_k(predictions),
                    "pictures": len(predictions.labels),
                    "areas": {name: _areas(predictions, model) for model, name in names.items()},
                }
            ),
        ),
    ]
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(name=name, prediction_key=model, label_key=_LABEL)
            for model, name in names.items()
        ],
        metrics_specs=[config_pb2.MetricsSpec(metrics=metrics, model_names=list(names.values()))],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            *(
                config_pb2.SlicingSpec(feature_keys=[key])
                for key in (features.LABEL, *map(_key, slices))
            ),
        ],
    )


def _key(column: str) -> str:
    """Returns TFMA's name of a column to slice by: its own, unless that means something else."""
    clashes = column in _OWN or column.startswith(_OF_MANIFEST)
    return f"{_OF_MANIFEST}{column}" if clashes else column


def _areas(predictions: Predictions, model: str) -> list[float | None]:
    """Returns the area under the curve of each class, None without one."""
    found = tfma_figures.areas(predictions.labels, predictions.scores[model])
    return [None if np.isnan(area) else area for area in found.tolist()]


def names_in_tfma(predictions: Predictions) -> dict[str, str]:
    """Returns each model's name in TFMA, which is empty where there is only one model."""
    models = list(predictions.scores)
    return {model: model if len(models) > 1 else "" for model in models}


def measure(
    pipeline: beam.Pipeline,
    folder: str,
    predictions: Predictions,
    slices: Sequence[str],
    evaluation: str,
) -> None:
    """Adds the steps that write TFMA's evaluation.

    Args:
      pipeline: Beam's.
      folder: of the Predictions artifact, whose files the workers read.
      predictions: what it holds.
      slices: the columns to slice by.
      evaluation: the folder to write into.
    """
    parts = [part for path in prediction_rows.files(folder) for part in prediction_rows.parts(path)]
    layout = Layout.of(read_models(folder))
    _ = (
        pipeline
        | "Parts" >> beam.Create(parts)
        | "Spread" >> beam.Reshuffle()
        | "Rows" >> beam.FlatMap(_batches, layout=layout, slices=list(slices))
        | "Evaluate"
        >> tfma.ExtractEvaluateAndWriteResults(
            eval_config=eval_config(predictions, slices), output_path=evaluation
        )
    )


def _batches(
    part: tuple[str, int | None], layout: Layout, slices: list[str]
) -> Iterator[pa.RecordBatch]:
    """Yields the rows of a part of the Predictions artifact as TFMA takes them."""
    for piece in prediction_rows.batches(*part):
        yield _kinds(piece, layout, slices)


def _kinds(rows: pa.RecordBatch, layout: Layout, slices: list[str]) -> pa.RecordBatch:
    """Returns a row for each kind of pictures: those that are in the same slices."""
    facts = facts_of(rows)
    labels = layout.labels(rows)
    by_column = [(labels, layout.classes), *map(facts.values, slices)]
    codes = np.stack([codes for codes, _ in by_column])
    kinds, kind, counts = np.unique(codes, axis=1, return_inverse=True, return_counts=True)
    order = np.argsort(kind.reshape(-1), kind="stable")
    columns = {_LABEL: _lists(labels[order], counts)}
    for name, (_, values), codes in zip(
        (features.LABEL, *map(_key, slices)), by_column, kinds.tolist(), strict=True
    ):
        columns[name] = _lists([values[code] for code in codes], np.ones_like(counts))
    for model in layout.columns:
        scores = layout.scores(rows, model)[order].reshape(-1)
        columns[model] = _lists(scores, counts * len(layout.classes))
    return pa.RecordBatch.from_pydict(columns)


def _lists(values: Any, lengths: np.ndarray) -> pa.Array:
    """Returns lists of these lengths."""
    ends = np.concatenate([[0], np.cumsum(lengths)])
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(values))


def read_metrics(
    evaluation: str, model: str, predictions: Predictions, slices: Sequence[str]
) -> Metrics:
    """Reads a model's metrics from a ModelEvaluation's folder; adds intervals."""
    name = names_in_tfma(predictions)[model]
    found = _Found(tfma.load_eval_result(evaluation, model_name=name))
    classes = predictions.classes[: predictions.known]
    entire: dict[str, Any] = {key: found.number((), of) for key, of in TFMA_NAMES.items()}
    by_class: dict[str, Any] = {
        f"class_{figure}": {
            label: found.number((), figure, index) for index, label in enumerate(classes)
        }
        for figure in tfma_figures.OF_CLASSES
    }
    of_class = {label: found.pictures(((features.LABEL, label),)) for label in classes}
    taken = np.bincount(predictions.predicted[model], minlength=len(predictions.classes))
    bounds = intervals.confidence_intervals(predictions.labels, predictions.scores[model], classes)
    return Metrics(
        pictures=found.pictures(()),
        top_k=top_k(predictions),
        class_pictures=of_class,
        class_predicted=dict(zip(classes, taken.tolist(), strict=False)),
        intervals=bounds if model == CANDIDATE else {},
        slices=[row for column in slices for row in found.slices(column)],
        **entire,
        **by_class,
    )


class _Found:
    """TFMA's result of one model."""

    def __init__(self, result: tfma.EvalResult):
        self._by_slice = {tuple(key): values[""] for key, values in result.slicing_metrics}

    def pictures(self, key: SliceKey) -> int:
        return round(self.number(key, "example_count") or 0)

    def number(self, key: SliceKey, name: str, class_id: int | None = None) -> float | None:
        """Returns a metric of a slice, None where the slice or the metric is not there."""
        sub_key = "" if class_id is None else str(tfma.metrics.SubKey(class_id=class_id))
        metric = self._by_slice.get(key, {}).get(sub_key, {}).get(name)
        if metric is None:
            return None
        return float(metric["doubleValue"])

    def slices(self, column: str) -> list[dict[str, Any]]:
        """Returns a row for every value of a column."""
        figures = ("accuracy", "balanced_accuracy", "macro_f1", "log_loss")
        keys = [key for key in self._by_slice if len(key) == 1 and key[0][0] == _key(column)]
        return [
            {"column": column, "value": key[0][1], "pictures": self.pictures(key)}
            | {figure: self.number(key, TFMA_NAMES[figure]) for figure in figures}
            for key in sorted(keys)
        ]
