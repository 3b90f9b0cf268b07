"""BottleneckGen: runs the frozen base once per picture, so that fitting a head costs seconds."""

from __future__ import annotations

from tfx.types import standard_artifacts

from components.artifacts.types import Bottlenecks
from components.bottleneck_gen.executor import Executor
from components.model.precision import PrecisionDriver
from components.step.base import BeamStep


class BottleneckGen(BeamStep):
    """Writes the pooled output of the frozen base for the `train` and `eval` splits."""

    EXECUTOR = Executor
    LOCAL_COPIES = True  # networks are loaded from folders
    STREAMED = ("examples",)
    DRIVER_CLASS = PrecisionDriver
    LIBRARIES = ("apache-beam", "h5py", "keras", "numpy", "tensorflow", "tensorflow-transform")
    INPUTS = {
        "examples": standard_artifacts.Examples,  # ingested pictures
        "transform_graph": standard_artifacts.TransformGraph,  # what makes pixels of them
    }
    OPTIONAL_INPUTS = {
        "baseline": standard_artifacts.Model,  # served now, where the base is to be that one's
    }
    OUTPUTS = {"bottlenecks": Bottlenecks}
