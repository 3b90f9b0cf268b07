"""Evaluator: measures the candidate and the model served now, and decides on the push."""

from __future__ import annotations

from collections.abc import Iterator

from ml_metadata.metadata_store import MetadataStore
from tfx.types import standard_artifacts

from components.artifacts.types import ClassList, GateVerdict, Predictions
from components.evaluator import served_already
from components.evaluator.executor import Executor
from components.step.base import BeamStep
from components.step.driver import Inputs


class Evaluator(BeamStep):
    """Writes TFMA's evaluation, per-picture predictions, the verdict and the blessing.

    Not TFX's component: what it evaluates is fixed when the pipeline is compiled, while class
    list, majority rate and baseline are known only when it runs.
    """

    EXECUTOR = Executor
    LOCAL_COPIES = True  # networks are loaded from folders
    STREAMED = ("examples",)
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

    @classmethod
    def alike(cls, store: MetadataStore, inputs: Inputs) -> Iterator[Inputs]:
        """Yields the inputs of the evaluations that blessed a candidate that is served now."""
        [candidate], [served] = inputs["model"], inputs["baseline_model"]
        for compared in served_already.compared(store, candidate, served):
            yield {**inputs, "baseline_model": [compared]}
