"""What TFMA measures on the test split, and how the gate's figures are read from its result."""

from __future__ import annotations

from collections.abc import Collection

import tensorflow_model_analysis as tfma

from components import features
from components.evaluator.gate import Metrics

CANDIDATE = "candidate"
BASELINE = "baseline"


def names_in_tfma(models: Collection[str]) -> dict[str, str]:
    """Gives each model's name in TFMA, which leaves it empty where there is but one."""
    return {model: model if len(models) > 1 else "" for model in models}


def eval_config(names: Collection[str]) -> tfma.EvalConfig:
    """Gives the configuration for models with these names in TFMA.

    TFMA maps the class names in `image/label` to each model's own `classes` by itself, so the
    label stays text.
    """
    models = [
        tfma.ModelSpec(
            name=name,
            signature_name="serve_examples",
            label_key=features.LABEL,
            is_baseline=name == BASELINE,
        )
        for name in names
    ]
    metrics = [
        tfma.MetricConfig(class_name="ExampleCount"),
        tfma.MetricConfig(class_name="SparseCategoricalAccuracy"),
        tfma.MetricConfig(class_name="MultiClassConfusionMatrixPlot"),
    ]
    return tfma.EvalConfig(
        model_specs=models,
        metrics_specs=[tfma.MetricsSpec(metrics=metrics, model_names=list(names))],
        # Recall of a class is the accuracy on the pictures of that class.
        slicing_specs=[tfma.SlicingSpec(), tfma.SlicingSpec(feature_keys=[features.LABEL])],
    )


def read_metrics(evaluation: str, name: str, classes: list[str]) -> Metrics:
    """Reads the figures of the model with this name in TFMA from a ModelEvaluation's folder."""
    result = tfma.load_eval_result(evaluation, model_name=name)

    def of(slice_key: tuple) -> tuple[int, float | None]:
        metrics = result.get_metrics_for_slice(slice_key)
        if not metrics:  # no picture in it
            return 0, None
        value = {
            key: metrics[key]["doubleValue"] for key in metrics if "doubleValue" in metrics[key]
        }
        pictures = round(value["example_count"])
        # TFMA gives 32 bits: 0.7 as 0.69999999, under a threshold of 0.7.
        return pictures, round(value["sparse_categorical_accuracy"] * pictures) / pictures

    pictures, accuracy = of(())
    assert accuracy is not None, "the ingest leaves no split without pictures"
    recall = {name: of(((features.LABEL, name),))[1] for name in classes}
    return Metrics(pictures, accuracy, recall)
