"""TFMA's figures, the report's and scikit-learn's of the pushed model's own answers agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from sklearn import metrics as sklearn_metrics

from components.artifacts import features
from components.artifacts.calibration import calibration_error
from components.artifacts.tfrecords import read_records
from tests.e2e.conftest import FirstRun


@pytest.fixture(scope="module")
def answers(first_run: FirstRun) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores of the test split, asked of the model as a client would."""
    model = tf.saved_model.load(str(first_run.pushed))
    classes = first_run.result["metrics"]["class_recall"]
    position = {name: index for index, name in enumerate(classes)}
    labels, scores = [], []
    test = str(first_run.output("ImageExampleGen", "examples") / "Split-test")
    for record in read_records(test).as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        encoded = feature[features.ENCODED].bytes_list.value[0]
        answer = model.signatures["serving_default"](inputs=tf.constant([encoded]))
        row = np.zeros(len(position))
        for name, score in zip(
            answer["classes"].numpy()[0], answer["scores"].numpy()[0], strict=True
        ):
            row[position[name.decode()]] = score
        labels.append(position[feature[features.LABEL].bytes_list.value[0].decode()])
        scores.append(row)
    return np.array(labels), np.array(scores)


@pytest.fixture(scope="module")
def expected(answers: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    labels, scores = answers
    predicted = scores.argmax(axis=1)
    mean: dict[str, Any] = {"average": "macro", "zero_division": 0}
    each: dict[str, Any] = {"average": None, "zero_division": 0}
    of_each = range(scores.shape[1])
    auc = [sklearn_metrics.roc_auc_score(labels == n, scores[:, n]) for n in of_each]
    return {
        "pictures": len(labels),
        "accuracy": sklearn_metrics.accuracy_score(labels, predicted),
        "top_k_accuracy": sklearn_metrics.top_k_accuracy_score(labels, scores, k=2),
        "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(labels, predicted),
        "macro_precision": sklearn_metrics.precision_score(labels, predicted, **mean),
        "macro_recall": sklearn_metrics.recall_score(labels, predicted, **mean),
        "macro_f1": sklearn_metrics.f1_score(labels, predicted, **mean),
        "macro_auc": np.mean(auc),
        "log_loss": sklearn_metrics.log_loss(labels, scores),
        "calibration_error": calibration_error(scores.max(axis=1), predicted == labels),
        "class_recall": sklearn_metrics.recall_score(labels, predicted, **each),
        "class_precision": sklearn_metrics.precision_score(labels, predicted, **each),
        "class_f1": sklearn_metrics.f1_score(labels, predicted, **each),
        "class_auc": np.array(auc),
        "confusion": sklearn_metrics.confusion_matrix(labels, predicted),
    }


def same(found: Any, figure: str, wanted: Any) -> None:
    values = list(found.values()) if isinstance(found, dict) else found
    if figure == "class_precision":  # never predicted: no precision, where scikit-learn says 0
        values = [value or 0.0 for value in values]
    np.testing.assert_allclose(np.array(values), wanted, rtol=1e-4, atol=1e-6, err_msg=figure)


def test_the_figures_of_the_run_and_of_the_report_are_scikit_learns(
    first_run: FirstRun, expected: dict[str, Any]
) -> None:
    folder = Path(first_run.result["report"]).parent
    document = json.loads((folder / "metrics.json").read_text("utf-8"))
    for figure, wanted in expected.items():
        same({**document, **document["candidate"]}[figure], figure, wanted)
        if figure != "confusion":
            same(first_run.result["metrics"][figure], figure, wanted)


def test_the_figures_of_tfma_are_scikit_learns(
    first_run: FirstRun, expected: dict[str, Any]
) -> None:
    result = tfma.load_eval_result(str(first_run.output("Evaluator", "evaluation")))
    found = result.get_metrics_for_slice(())
    for figure, name in {
        "pictures": "example_count",
        "accuracy": "sparse_categorical_accuracy",
        "log_loss": "sparse_categorical_crossentropy",
        "macro_f1": "macro_f1",
        "macro_auc": "macro_auc",
        "calibration_error": "expected_calibration_error",
    }.items():
        same(found[name]["doubleValue"], figure, expected[figure])
    for index in range(3):
        of_class = result.get_metrics_for_slice((), class_id=index)
        assert of_class["recall"]["doubleValue"] == pytest.approx(expected["class_recall"][index])


def test_reasons_are_the_same_rows_everywhere(first_run: FirstRun) -> None:
    folder = Path(first_run.result["report"]).parent
    verdict = json.loads((folder / "verdict.json").read_text("utf-8"))
    assert verdict["gate"] == first_run.result["gate"]
    assert verdict["pushed_version"] == first_run.result["pushed_version"]
    page = (folder / "report.html").read_text("utf-8")
    for row in first_run.result["gate"]:
        assert row["needed"].replace(">", "&gt;") in page
    assert "Where the model looked" in page
    assert "# Model card" in (folder / "model_card.md").read_text("utf-8")
