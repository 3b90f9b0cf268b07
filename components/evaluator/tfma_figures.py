"""Metrics that TFMA lacks for many classes, as one metric of TFMA's own kind.

TFMA's binarized metrics decide by a threshold where a classifier takes the best class, and run once
per class. This one keeps the scores of a slice and computes every class at once, and exactly.

TFMA's rows are kinds of pictures here, those of one piece that are in the same slices, since it
takes a millisecond for a row and model: a row's label is [n] labels, its prediction [n, classes]
scores, flattened. So pictures are counted, and the matrix of what was confused is made, here too.

Accuracy, top-k accuracy and log loss are here under the names of Keras' metrics, which TFMA would
wrap: those pass AutoGraph at every update, minutes for the slices of 200 classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_util
from tensorflow_model_analysis.proto import config_pb2, metrics_for_slice_pb2

from components.artifacts.calibration import calibration_error
from components.evaluator.figures import area_under_roc, by_class, macro

ENTIRE = ("balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", "macro_auc")
ACCURACY = "sparse_categorical_accuracy"
TOP_K_ACCURACY = "sparse_top_k_categorical_accuracy"
LOG_LOSS = "sparse_categorical_crossentropy"
CALIBRATION = "expected_calibration_error"
PICTURES = "example_count"
MATRIX = "multi_class_confusion_matrix_plot"
OF_CLASSES = ("precision", "recall", "f1", "auc")

_LEAST = 1e-7  # score of a true class in the log loss, as with Keras

Accumulator = list[tuple[np.ndarray, np.ndarray]]
"""[n] labels and [n, classes] scores of kinds of pictures; networks compute scores as float32."""


class ClassifierFigures(tfma.metrics.Metric):
    """Counts, macro averages, calibration error, and metrics by class (`class_id` in the sub key).

    A metric that can't be measured on a slice is not in its result.
    """

    def __init__(self, k: int, name: str = "classifier_figures"):
        super().__init__(metric_util.merge_per_key_computations(_computations), name=name, k=k)


def _computations(
    k: int,
    name: str = "",
    eval_config: config_pb2.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> list[Any]:
    key = tfma.metrics.MetricKey(
        name, model_name=model_name, output_name=output_name, example_weighted=example_weighted
    )
    combiner = _Figures(key, eval_config, k)
    return [tfma.metrics.MetricComputation(keys=[key], preprocessors=None, combiner=combiner)]


class _Figures(beam.CombineFn):
    def __init__(
        self, key: tfma.metrics.MetricKey, eval_config: config_pb2.EvalConfig | None, k: int
    ):
        self._key = key
        self._k = k
        self._eval_config = eval_config

    def create_accumulator(self) -> Accumulator:
        return []

    def add_input(self, accumulator: Accumulator, element: Any) -> Accumulator:
        label, scores, _ = next(
            metric_util.to_label_prediction_example_weight(
                element,
                eval_config=self._eval_config,
                model_name=self._key.model_name,
                output_name=self._key.output_name,
                flatten=False,
            )
        )
        labels = label.reshape(-1).astype(np.int32)
        accumulator.append((labels, scores.reshape(len(labels), -1).astype(np.float32)))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Accumulator]) -> Accumulator:
        return [part for accumulator in accumulators for part in self.compact(accumulator)]

    def compact(self, accumulator: Accumulator) -> Accumulator:
        if len(accumulator) < 2:
            return accumulator
        labels, scores = zip(*accumulator, strict=True)
        return [(np.concatenate(labels), np.concatenate(scores))]

    def extract_output(self, accumulator: Accumulator) -> dict[tfma.metrics.MetricKey, Any]:
        [(labels, scores)] = self.compact(accumulator)
        entire, of_classes = figures(labels, scores, self._k)
        entire[PICTURES] = len(labels)
        found = {self._named(name): value for name, value in entire.items()}
        for name, values in of_classes.items():
            for index, value in enumerate(values):
                found[self._named(name, index)] = value
        measured = {key: value for key, value in found.items() if not np.isnan(value)}
        plot = tfma.metrics.PlotKey(MATRIX, model_name=self._key.model_name)
        return {**measured, plot: _matrix(labels, scores)}

    def _named(self, name: str, class_id: int | None = None) -> tfma.metrics.MetricKey:
        sub_key = None if class_id is None else tfma.metrics.SubKey(class_id=class_id)
        return self._key._replace(name=name, sub_key=sub_key)


def _matrix(
    labels: np.ndarray, scores: np.ndarray
) -> metrics_for_slice_pb2.MultiClassConfusionMatrixAtThresholds:
    """Returns TFMA's form of how many pictures of each class were taken for which."""
    found = metrics_for_slice_pb2.MultiClassConfusionMatrixAtThresholds()
    entries = found.matrices.add(threshold=0.0).entries
    pairs = np.stack([labels, scores.argmax(axis=1)])
    for (actual, predicted), count in zip(*_counted(pairs), strict=True):
        entries.add(
            actual_class_id=actual, predicted_class_id=predicted, num_weighted_examples=count
        )
    return found


def _counted(pairs: np.ndarray) -> tuple[list[list[int]], list[int]]:
    different, counts = np.unique(pairs, axis=1, return_counts=True)
    return different.T.tolist(), counts.tolist()


def figures(
    labels: np.ndarray, scores: np.ndarray, k: int
) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Returns the metrics of all pictures and of each class; NaN for those that can't be measured.

    Args:
      labels: [pictures] integers.
      scores: [pictures, classes] floats.
      k: of top-k accuracy.
    """
    classes, predicted = scores.shape[1], scores.argmax(axis=1)
    correct = predicted == labels
    actual = np.bincount(labels, minlength=classes)
    found = by_class(
        actual,
        np.bincount(predicted, minlength=classes),
        np.bincount(labels[correct], minlength=classes),
    )
    auc = np.array(
        [
            area_under_roc(labels == index, scores[:, index])
            if 0 < actual[index] < len(labels)
            else np.nan
            for index in range(classes)
        ]
    )
    mean = macro(found)
    measured = auc[~np.isnan(auc)]
    macro_auc = measured.mean() if len(measured) else np.nan
    entire = (mean.recall, mean.precision, mean.recall, mean.f1, macro_auc)
    of_label = scores[np.arange(len(labels)), labels].astype(float)
    whole = {
        ACCURACY: float(correct.mean()),
        TOP_K_ACCURACY: float(((scores > of_label[:, np.newaxis]).sum(axis=1) < k).mean()),
        LOG_LOSS: float(-np.log(np.clip(of_label, _LEAST, 1)).mean()),
        CALIBRATION: calibration_error(scores.max(axis=1).astype(float), correct),
    }
    of_classes = dict(zip(OF_CLASSES, (*found, auc), strict=True))
    return (
        dict(zip(ENTIRE, map(float, entire), strict=True)) | whole,
        {name: [float(value) for value in values] for name, values in of_classes.items()},
    )
