"""Runs TFMA on the predictions, and reads the gate's metrics from its result.

TFMA reads the Predictions artifact and not the models: they are asked once, and a baseline with
other classes or signatures can't make the evaluation fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2

from components.artifacts import features, prediction_rows
from components.artifacts.predictions import (
    CANDIDATE,
    Layout,
    Predictions,
    facts_of,
    read_models,
)
from components.evaluator import intervals, tfma_figures
from components.evaluator.metrics import Metrics

_TOP_K = 5
_BATCH = 256  # rows

TFMA_NAMES = {
    "accuracy": tfma_figures.ACCURACY,
    "top_k_accuracy": tfma_figures.TOP_K_ACCURACY,
    "log_loss": tfma_figures.LOG_LOSS,
    "calibration_error": tfma_figures.CALIBRATION,
    **{name: name for name in tfma_figures.ENTIRE},
}
"""TFMA's names of the metrics of all pictures."""

SliceKey = tuple[tuple[str, str], ...]


def top_k(predictions: Predictions) -> int:
    """Returns the `k` of top-k accuracy: five, or less where five would cover every class."""
    return max(1, min(_TOP_K, predictions.known - 1))


def eval_config(predictions: Predictions, slices: Sequence[str]) -> config_pb2.EvalConfig:
    """Returns TFMA's configuration: labels are positions in `predictions.classes`."""
    names = names_in_tfma(predictions)
    metrics = [
        config_pb2.MetricConfig(class_name="ExampleCount"),
        config_pb2.MetricConfig(class_name="MultiClassConfusionMatrixPlot"),
        config_pb2.MetricConfig(
            class_name="ClassifierFigures",
            module=tfma_figures.__name__,
            config=f'{{"k": {top_k(predictions)}}}',
        ),
    ]
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(name=name, prediction_key=model, label_key="label")
            for model, name in names.items()
        ],
        metrics_specs=[config_pb2.MetricsSpec(metrics=metrics, model_names=list(names.values()))],
        slicing_specs=[
            config_pb2.SlicingSpec(),
            *(config_pb2.SlicingSpec(feature_keys=[key]) for key in (features.LABEL, *slices)),
        ],
    )


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
        for start in range(0, piece.num_rows, _BATCH):
            yield _batch(piece.slice(start, _BATCH), layout, slices)


def _batch(rows: pa.RecordBatch, layout: Layout, slices: list[str]) -> pa.RecordBatch:
    facts = facts_of(rows) if slices else None
    columns: dict[str, pa.Array] = {
        "label": _lists(layout.labels(rows), 1),
        features.LABEL: _lists(rows.column("label"), 1),
        **{name: _lists([fact.get(name, "") for fact in facts or ()], 1) for name in slices},
    }
    for model in layout.columns:
        columns[model] = _lists(layout.scores(rows, model).reshape(-1), len(layout.classes))
    return pa.RecordBatch.from_pydict(columns)


def _lists(values: Any, each: int) -> pa.Array:
    """Returns lists of so many values each."""
    flat = values if isinstance(values, pa.Array) else pa.array(values)
    return pa.ListArray.from_arrays(pa.array(range(0, len(flat) + 1, each), pa.int32()), flat)


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
        keys = [key for key in self._by_slice if len(key) == 1 and key[0][0] == column]
        return [
            {"column": column, "value": key[0][1], "pictures": self.pictures(key)}
            | {figure: self.number(key, TFMA_NAMES[figure]) for figure in figures}
            for key in sorted(keys)
        ]
