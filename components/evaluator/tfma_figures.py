"""Metrics that TFMA lacks for many classes, as one metric of TFMA's own kind.

TFMA's binarized metrics decide by a threshold where a classifier takes the best class, and run once
per class. This one counts which class was taken for which, and computes every class at once from
it.

Accuracy, top-k accuracy and log loss are here under the names of Keras' metrics, which TFMA would
wrap: those pass AutoGraph at every update, minutes for the slices of 200 classes.

TFMA's rows are kinds of pictures here, those of one piece that are in the same slices, since it
takes a millisecond for a row and model: a row's label is [n] labels, its prediction [n, classes]
scores, flattened. So pictures are counted, and the matrix of what was confused is made, here too.

What is kept of a slice grows with its classes, not with its pictures. Exact areas under the curve
need all scores at once: they are computed beforehand, and stand where a slice holds all pictures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_util
from tensorflow_model_analysis.proto import config_pb2, metrics_for_slice_pb2

from components.artifacts.calibration import BINS, bins
from components.evaluator.figures import area_under_roc, by_class, macro

MACRO_AUC = "macro_auc"
ENTIRE = ("balanced_accuracy", "macro_precision", "macro_recall", "macro_f1", MACRO_AUC)
ACCURACY = "sparse_categorical_accuracy"
TOP_K_ACCURACY = "sparse_top_k_categorical_accuracy"
LOG_LOSS = "sparse_categorical_crossentropy"
CALIBRATION = "expected_calibration_error"
PICTURES = "example_count"
MATRIX = "multi_class_confusion_matrix_plot"
AUC = "auc"
OF_CLASSES = ("precision", "recall", "f1", AUC)

_LEAST = 1e-7  # score of a true class in the log loss, as with Keras

_MOST = 64  # counts that wait to be added up

Areas = Mapping[str, Sequence[float | None]]
"""By model, as TFMA names it, the area under the curve of each class; None without one."""


@dataclasses.dataclass(frozen=True)
class Counts:
    """Counts and sums of some pictures.

    Attributes:
      pairs: [pairs] int64, label * classes + predicted class, each once, sorted.
      pictures: [pairs] int64, how many there are of each pair.
      classes: how many there are.
      sums: [2 + 3 * BINS] float64: pictures whose true class is among the first k, the sum of
        their -ln of its score, and what `calibration.bins` returns.
    """

    pairs: np.ndarray
    pictures: np.ndarray
    classes: int
    sums: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, scores: np.ndarray, k: int) -> Counts:
        """Counts.

        Args:
          labels: [pictures] integers.
          scores: [pictures, classes] floats.
          k: of top-k accuracy.
        """
        classes, predicted = scores.shape[1], scores.argmax(axis=1)
        pairs, pictures = np.unique(labels * classes + predicted, return_counts=True)
        of_label = scores[np.arange(len(labels)), labels]
        top_k = ((scores > of_label[:, np.newaxis]).sum(axis=1) < k).sum()
        loss = -np.log(np.clip(of_label, _LEAST, 1)).sum()
        calibration = bins(scores.max(axis=1), predicted == labels)
        return cls(pairs, pictures, classes, np.concatenate([[top_k, loss], *calibration]))

    @classmethod
    def added(cls, parts: Sequence[Counts]) -> Counts:
        """Returns the counts of all parts' pictures, of which there is one at least."""
        pairs, place = np.unique(
            np.concatenate([part.pairs for part in parts]), return_inverse=True
        )
        pictures = np.zeros(len(pairs), np.int64)
        np.add.at(pictures, place.reshape(-1), np.concatenate([part.pictures for part in parts]))
        sums = np.sum([part.sums for part in parts], axis=0)
        return cls(pairs, pictures, parts[0].classes, sums)


class ClassifierFigures(tfma.metrics.Metric):
    """Counts, macro averages, calibration error, and metrics by class (`class_id` in the sub key).

    A metric that can't be measured on a slice is not in its result.
    """

    def __init__(self, k: int, pictures: int, areas: Areas, name: str = "classifier_figures"):
        """Keeps what the computation takes.

        Args:
          k: of top-k accuracy.
          pictures: how many there are in all.
          areas: under the curve, of all pictures.
          name: the metric's.
        """
        super().__init__(
            metric_util.merge_per_key_computations(_computations),
            name=name,
            k=k,
            pictures=pictures,
            areas=areas,
        )


def _computations(
    k: int,
    pictures: int,
    areas: Areas,
    name: str = "",
    eval_config: config_pb2.EvalConfig | None = None,
    model_name: str = "",
    output_name: str = "",
    example_weighted: bool = False,
) -> list[Any]:
    key = tfma.metrics.MetricKey(
        name, model_name=model_name, output_name=output_name, example_weighted=example_weighted
    )
    combiner = _Figures(key, eval_config, k, pictures, areas[model_name])
    return [tfma.metrics.MetricComputation(keys=[key], preprocessors=None, combiner=combiner)]


class _Figures(beam.CombineFn):
    def __init__(
        self,
        key: tfma.metrics.MetricKey,
        eval_config: config_pb2.EvalConfig | None,
        k: int,
        pictures: int,
        areas: Sequence[float | None],
    ):
        self._key = key
        self._eval_config = eval_config
        self._k = k
        self._pictures = pictures
        self._areas = np.array(areas, float)

    def create_accumulator(self) -> list[Counts]:
        return []

    def add_input(self, accumulator: list[Counts], element: Any) -> list[Counts]:
        label, scores, _ = next(
            metric_util.to_label_prediction_example_weight(
                element,
                eval_config=self._eval_config,
                model_name=self._key.model_name,
                output_name=self._key.output_name,
                flatten=False,
            )
        )
        labels = label.reshape(-1).astype(np.int64)
        accumulator.append(Counts.of(labels, scores.reshape(len(labels), -1), self._k))
        return accumulator if len(accumulator) < _MOST else self.compact(accumulator)

    def merge_accumulators(self, accumulators: Iterable[list[Counts]]) -> list[Counts]:
        return self.compact([part for accumulator in accumulators for part in accumulator])

    def compact(self, accumulator: list[Counts]) -> list[Counts]:
        return [Counts.added(accumulator)] if len(accumulator) > 1 else accumulator

    def extract_output(self, accumulator: list[Counts]) -> dict[tfma.metrics.MetricKey, Any]:
        [counts] = self.compact(accumulator)
        entire, of_classes = figures(counts)
        if entire[PICTURES] == self._pictures:
            entire[MACRO_AUC] = mean_area(self._areas)
            of_classes[AUC] = self._areas
        found = {self._named(name): value for name, value in entire.items()}
        for name, values in of_classes.items():
            for index, value in enumerate(values.tolist()):
                found[self._named(name, index)] = value
        measured = {key: value for key, value in found.items() if not np.isnan(value)}
        plot = tfma.metrics.PlotKey(MATRIX, model_name=self._key.model_name)
        return {**measured, plot: _matrix(counts)}

    def _named(self, name: str, class_id: int | None = None) -> tfma.metrics.MetricKey:
        sub_key = None if class_id is None else tfma.metrics.SubKey(class_id=class_id)
        return self._key._replace(name=name, sub_key=sub_key)


def _matrix(counts: Counts) -> metrics_for_slice_pb2.MultiClassConfusionMatrixAtThresholds:
    """Returns TFMA's form of how many pictures of each class were taken for which."""
    found = metrics_for_slice_pb2.MultiClassConfusionMatrixAtThresholds()
    entries = found.matrices.add(threshold=0.0).entries
    for pair, pictures in zip(counts.pairs.tolist(), counts.pictures.tolist(), strict=True):
        actual, predicted = divmod(pair, counts.classes)
        entries.add(
            actual_class_id=actual, predicted_class_id=predicted, num_weighted_examples=pictures
        )
    return found


def areas(labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Returns the area under the curve of each class against all others: [classes] float64.

    NaN where no picture, or every one, is of the class.

    Args:
      labels: [pictures] integers.
      scores: [pictures, classes] floats.
    """
    actual = np.bincount(labels, minlength=scores.shape[1]).tolist()
    found = [
        area_under_roc(labels == index, scores[:, index]) if 0 < own < len(labels) else np.nan
        for index, own in enumerate(actual)
    ]
    return np.array(found)


def mean_area(of_classes: np.ndarray) -> float:
    """Returns the mean over the classes that have an area; NaN without any."""
    measured = of_classes[~np.isnan(of_classes)]
    return float(measured.mean()) if len(measured) else np.nan


def figures(counts: Counts) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Returns the metrics of all pictures and of each class; NaN for those that can't be measured.

    All but areas under the curve.
    """
    label, predicted = np.divmod(counts.pairs, counts.classes)
    actual, taken, right = (
        np.bincount(classes, counts.pictures * which, counts.classes)
        for classes, which in ((label, 1), (predicted, 1), (label, label == predicted))
    )
    pictures = int(counts.pictures.sum())
    found = by_class(actual, taken, right)
    mean = macro(found)
    top_k, loss = counts.sums[:2].tolist()
    _, scores, correct = counts.sums[2:].reshape(3, BINS)
    entire = {
        PICTURES: pictures,
        "balanced_accuracy": float(mean.recall),
        "macro_precision": float(mean.precision),
        "macro_recall": float(mean.recall),
        "macro_f1": float(mean.f1),
        ACCURACY: float(right.sum() / pictures),
        TOP_K_ACCURACY: top_k / pictures,
        LOG_LOSS: loss / pictures,
        CALIBRATION: float(np.abs(scores - correct).sum() / pictures),
    }
    return entire, dict(zip(OF_CLASSES, found, strict=False))
