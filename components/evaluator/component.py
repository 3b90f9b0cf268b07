"""Evaluator: measures the candidate and the model served now, and decides on the push."""

from __future__ import annotations

from tfx.types import standard_artifacts

from components.artifacts.types import ClassList, GateVerdict, Predictions
from components.evaluator.executor import Executor
from components.step.base import BeamStep


class Evaluator(BeamStep):
    """Writes TFMA's evaluation, per-picture predictions, the verdict and the blessing.

    Not TFX's component: what it evaluates is fixed when the pipeline is compiled, while class
    list, majority rate and baseline are known only when it runs.
    """

    EXECUTOR = Executor
    LIBRARIES = ("apache-beam", "numpy", "tensorflow", "tensorflow-model-analysis")
    INPUTS = {
        "examples": standard_artifacts.Examples,  # ingested pictures; the `test` split is read
        "class_list": ClassList,
        "model": standard_artifacts.Model,  # the candidate
        "baseline_model": standard_artifacts.Model,  # served now, or an empty artifact
    }
    OPTIONAL_INPUTS = {"golden": standard_artifacts.Examples}  # a fixed set; its split `test`
    OUTPUTS = {
        "evaluation": standard_artifacts.ModelEvaluation,
        "blessing": standard_artifacts.ModelBlessing,
        "predictions": Predictions,
        "verdict": GateVerdict,
    }
