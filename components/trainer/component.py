"""Trainer: fits the network in two phases and exports what TensorFlow Serving loads."""

from __future__ import annotations

from tfx.types import standard_artifacts

from components.artifacts.types import Bottlenecks, ClassList, DataAcceptance, IngestReport
from components.model.precision import PrecisionDriver
from components.step.base import Step
from components.trainer.executor import Executor


class Trainer(Step):
    """Writes the SavedModel, `model.keras` beside it, and the run's history and events."""

    EXECUTOR = Executor
    DRIVER_CLASS = PrecisionDriver
    LIBRARIES = (
        *("h5py", "keras", "numpy", "tensorflow", "tensorflow-serving-api"),
        "tensorflow-transform",
    )
    INPUTS = {
        "examples": standard_artifacts.Examples,  # ingested pictures
        "transform_graph": standard_artifacts.TransformGraph,  # what makes pixels of them
        "class_list": ClassList,
    }
    OPTIONAL_INPUTS = {
        "bottlenecks": Bottlenecks,  # what phase `frozen` reads where its features are cached
        "baseline": standard_artifacts.Model,  # served now, where the training starts from it
        "acceptance": DataAcceptance,  # likewise: earlier names of its classes
        # What Tuner found; takes the place of what the settings say.
        "hyperparameters": standard_artifacts.HyperParameters,
        "ingest_report": IngestReport,  # by what settings pictures became canonical
    }
    STREAMED = ("examples", "bottlenecks")
    OUTPUTS = {"model": standard_artifacts.Model, "model_run": standard_artifacts.ModelRun}
