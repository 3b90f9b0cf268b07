"""TFMA's figures, the gate's and scikit-learn's are the same, for every metric."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pytest
import tensorflow_model_analysis as tfma
from apache_beam.options.pipeline_options import PipelineOptions
from pyarrow import parquet as pq
from sklearn import metrics as sklearn_metrics

from components.artifacts import prediction_rows
from components.artifacts.calibration import BINS
from components.artifacts.predictions import Layout, Predictions, read_from, read_models
from components.evaluator import measure, tfma_figures
from components.evaluator.metrics import Metrics

CLASSES = ["ape", "bee", "cow", "猫 <b>", "none"]  # the last has no test pictures
SLICES = ["picture_size", "camera"]


def made(folder: Path, pictures: int = 90, columns: Sequence[str] = ("camera",)) -> Predictions:
    """Writes candidate and baseline, the latter without `bee` and with a class of its own.

    All of the columns say which camera took a picture.
    """
    random = np.random.default_rng(3)
    old = ["ape", "cow", "none", "yak", "猫 <b>"]
    models = {
        "candidate": {"classes": CLASSES},
        "baseline": {"version": "7", "classes": old},
    }
    lines = []
    for number in range(pictures):
        label = int(random.integers(4))
        scores = random.dirichlet(np.ones(5))
        scores[label] += 0.3
        row = {
            "file": f"{number:03}.png",
            "sha256": "0",
            "label": CLASSES[label],
            "height": 40 if number % 3 else 200,
            "width": 100,
            "columns": dict.fromkeys(columns, "left" if number % 2 else "right"),
            "candidate": (scores / scores.sum()).tolist(),
            "baseline": random.dirichlet(np.ones(5)).tolist(),
        }
        lines.append(json.dumps(row))
    (folder / "models.json").write_text(json.dumps(models))
    (folder / "predictions-0.jsonl").write_text("\n".join(lines[: pictures // 2]))
    rest = pa.Table.from_batches(prediction_rows.of_lines(lines[pictures // 2 :]))
    pq.write_table(rest, folder / "predictions-1.parquet", row_group_size=20)
    return read_from(str(folder))


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Predictions, str]:
    asked = tmp_path_factory.mktemp("predictions")
    predictions = made(asked)
    folder = tmp_path_factory.mktemp("evaluation")
    run(asked, predictions, SLICES, folder)
    return predictions, str(folder)


def run(asked: Path, predictions: Predictions, slices: Sequence[str], folder: Path) -> None:
    options = PipelineOptions(["--runner=FnApiRunner", "--direct_running_mode=in_memory"])
    with beam.Pipeline(options=options) as pipeline:
        measure.measure(pipeline, str(asked), predictions, slices, str(folder))


@pytest.fixture(scope="module")
def found(evaluated: tuple[Predictions, str]) -> Metrics:
    predictions, folder = evaluated
    return measure.read_metrics(folder, "candidate", predictions, SLICES)


def by_scikit_learn(labels: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    """The figures of the first five classes, four of which are in `labels`."""
    predicted, there, each = scores.argmax(axis=1), [0, 1, 2, 3], {"zero_division": 0}
    every = {"labels": range(5), "average": None, "zero_division": np.nan}
    mean: dict[str, Any] = {"labels": there, "average": "macro", **each}
    auc = [sklearn_metrics.roc_auc_score(labels == index, scores[:, index]) for index in there]
    recall = sklearn_metrics.recall_score(labels, predicted, **every)
    return {
        "pictures": len(labels),
        "accuracy": sklearn_metrics.accuracy_score(labels, predicted),
        "top_k_accuracy": sklearn_metrics.top_k_accuracy_score(
            labels, scores, k=4, labels=range(scores.shape[1])
        ),
        "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(labels, predicted),
        "macro_precision": sklearn_metrics.precision_score(labels, predicted, **mean),
        "macro_recall": sklearn_metrics.recall_score(labels, predicted, **mean),
        "macro_f1": sklearn_metrics.f1_score(labels, predicted, **mean),
        "macro_auc": np.mean(auc),
        "log_loss": sklearn_metrics.log_loss(labels, scores, labels=range(scores.shape[1])),
        "class_recall": [*recall[:4], None],
        "class_precision": sklearn_metrics.precision_score(labels, predicted, **every).tolist(),
        "class_f1": [*sklearn_metrics.f1_score(labels, predicted, **every)[:4], None],
        "class_auc": [*auc, None],
    }


def agrees(value: Any, expected: Any) -> bool:
    if isinstance(value, dict):
        return all(map(agrees, value.values(), expected))
    if value is None or expected is None:
        return value is None and (expected is None or bool(np.isnan(expected)))
    return bool(value == pytest.approx(expected, rel=1e-5))


FIGURES = [
    "pictures",
    "accuracy",
    "top_k_accuracy",
    "balanced_accuracy",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "macro_auc",
    "log_loss",
    "class_recall",
    "class_precision",
    "class_f1",
    "class_auc",
]


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_is_scikit_learns(
    evaluated: tuple[Predictions, str], found: Metrics, figure: str
) -> None:
    predictions, _ = evaluated
    scores = predictions.scores["candidate"][:, :5]
    expected = by_scikit_learn(predictions.labels, scores)[figure]
    assert agrees(found.as_dict()[figure], expected), (found.as_dict()[figure], expected)


def test_the_calibration_error_is_that_of_a_reliability_diagram(
    evaluated: tuple[Predictions, str], found: Metrics
) -> None:
    predictions, _ = evaluated
    scores = predictions.scores["candidate"]
    correct = predictions.correct("candidate")
    gaps = [
        abs(scores.max(axis=1)[inside].mean() - correct[inside].mean()) * inside.sum()
        for inside in (np.ceil(scores.max(axis=1) * BINS) == number for number in range(1, 16))
        if inside.any()
    ]
    assert found.calibration_error == pytest.approx(sum(gaps) / len(correct))


def test_the_confusion_matrix_is_scikit_learns(evaluated: tuple[Predictions, str]) -> None:
    predictions, folder = evaluated
    expected = sklearn_metrics.confusion_matrix(
        predictions.labels, predictions.predicted["candidate"], labels=range(6)
    )
    plots = tfma.load_eval_result(folder, model_name="candidate").plots
    [entire] = [values for key, values in plots if not key]
    [matrix] = entire[""][""]["multiClassConfusionMatrixAtThresholds"]["matrices"]
    counts = np.zeros((6, 6))
    for entry in matrix["entries"]:
        place = entry.get("actualClassId", 0), entry.get("predictedClassId", 0)
        counts[place] = entry["numWeightedExamples"]
    assert counts.tolist() == expected.tolist()


def test_slices_are_by_class_by_size_and_by_the_manifests_columns(
    evaluated: tuple[Predictions, str], found: Metrics
) -> None:
    predictions, folder = evaluated
    slices = {(row["column"], row["value"]): row for row in found.slices}
    assert set(slices) == {
        ("picture_size", "32-63 px"),
        ("picture_size", "64-127 px"),
        ("camera", "left"),
        ("camera", "right"),
    }
    left = np.array([facts["camera"] == "left" for facts in predictions.facts])
    row = slices["camera", "left"]
    assert row["pictures"] == left.sum()
    assert row["accuracy"] == pytest.approx(predictions.correct("candidate")[left].mean())
    result = tfma.load_eval_result(folder, model_name="candidate")
    of_cows = result.get_metrics_for_slice((("image/label", "cow"),))
    accuracy = of_cows["sparse_categorical_accuracy"]["doubleValue"]
    assert accuracy == pytest.approx(found.class_recall["cow"])


def test_columns_of_a_manifest_may_be_called_as_what_is_measured(
    found: Metrics, tmp_path: Path
) -> None:
    slices = ["candidate", "baseline", "label", "image/label", "column/label"]
    asked = tmp_path / "predictions"
    asked.mkdir()
    predictions = made(asked, columns=slices)
    run(asked, predictions, slices, tmp_path / "evaluation")
    again = measure.read_metrics(str(tmp_path / "evaluation"), "candidate", predictions, slices)
    cameras = [row for row in found.slices if row["column"] == "camera"]
    expected = [{**row, "column": name} for name in slices for row in cameras]
    assert again.slices == [pytest.approx(row) for row in expected]
    assert again.class_recall == found.class_recall


def test_a_baseline_of_other_classes_is_measured_too(evaluated: tuple[Predictions, str]) -> None:
    predictions, folder = evaluated
    baseline = measure.read_metrics(folder, "baseline", predictions, SLICES)
    assert baseline.accuracy == pytest.approx(predictions.correct("baseline").mean())
    assert baseline.class_recall["bee"] == 0.0
    assert list(baseline.class_recall) == CLASSES


def test_the_intervals_hold_the_figures(found: Metrics) -> None:
    for figure in ("accuracy", "macro_f1", "calibration_error"):
        lower, upper = found.intervals[figure]
        assert lower <= getattr(found, figure) <= upper
    assert found.intervals["class_recall"]["none"] is None


def test_tfma_gets_a_row_for_each_kind_of_pictures_and_all_their_scores(tmp_path: Path) -> None:
    predictions = made(tmp_path, pictures=400)
    files = prediction_rows.files(str(tmp_path))
    parts = [part for file in files for part in prediction_rows.parts(file)]
    rows = [
        row
        for part in parts
        for batch in measure._batches(part, Layout.of(read_models(str(tmp_path))), SLICES)
        for row in batch.to_pylist()
    ]
    kinds = {(row["image/label"][0], row["picture_size"][0], row["camera"][0]) for row in rows}
    assert len(kinds) == 16  # of 4 classes, 2 sizes and 2 cameras
    assert len(rows) <= 16 * len(parts)
    right = 0
    for row in rows:
        scores = np.reshape(row["candidate"], (len(row["label"]), len(predictions.classes)))
        assert {predictions.classes[label] for label in row["label"]} == set(row["image/label"])
        right += int((scores.argmax(axis=1) == row["label"]).sum())
    assert sum(len(row["label"]) for row in rows) == 400
    assert right == predictions.correct("candidate").sum()


def test_what_is_kept_of_a_slice_does_not_grow_with_its_pictures() -> None:
    random = np.random.default_rng(0)
    labels, scores = random.integers(0, 3, 9_000), random.dirichlet(np.ones(3), 9_000)
    parts = [
        tfma_figures.Counts.of(labels[start : start + 90], scores[start : start + 90], k=2)
        for start in range(0, 9_000, 90)
    ]
    whole, added = tfma_figures.Counts.of(labels, scores, k=2), tfma_figures.Counts.added(parts)
    assert added.pairs.tolist() == whole.pairs.tolist() == list(range(9))
    assert added.pictures.tolist() == whole.pictures.tolist()
    assert added.sums == pytest.approx(whole.sums)
