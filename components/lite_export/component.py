"""LiteExport: the candidate for phones and small devices, beside the SavedModel."""

from __future__ import annotations

from tfx.types import standard_artifacts

from components.artifacts.types import ClassList, LiteModel
from components.lite_export.executor import Executor
from components.step.base import Step


class LiteExport(Step):
    """Writes .tflite files, with the class names and how close they come to the SavedModel.

    Of its own, and not a part of the Trainer's model: the push directory stays what TensorFlow
    Serving knows, and another kind of file asks for no other training.
    """

    EXECUTOR = Executor
    LIBRARIES = (
        "ai-edge-litert",
        "flatbuffers",
        "keras",
        "numpy",
        "tensorflow",
        "tensorflow-transform",
    )
    INPUTS = {
        "examples": standard_artifacts.Examples,  # pictures to find ranges with and to compare on
        "transform_graph": standard_artifacts.TransformGraph,  # what makes pixels of them
        "class_list": ClassList,
        "model": standard_artifacts.Model,  # the candidate
    }
    OUTPUTS = {"lite_model": LiteModel}
