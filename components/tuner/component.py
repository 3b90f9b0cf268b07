"""Tuner: finds the head and the learning rate of phase `frozen`, on cached features."""

from __future__ import annotations

from tfx.types import standard_artifacts

from components.artifacts.types import Bottlenecks, ClassList
from components.step.base import Step
from components.tuner.executor import Executor


class Tuner(Step):
    """Writes the best trial's values, which Trainer applies, and the table of all trials.

    Not TFX's component, which hands its `tuner_fn` Examples and a file of code: it reads what
    BottleneckGen wrote, and what it runs is this project's code. It writes what TFX's one writes.
    """

    EXECUTOR = Executor
    LIBRARIES = ("keras", "keras-tuner", "numpy", "scikit-learn", "tensorflow", "tfx")
    INPUTS = {
        "bottlenecks": Bottlenecks,  # what the head reads
        "class_list": ClassList,
    }
    # TFX's own types, so that any consumer of its Tuner reads them.
    OUTPUTS = {
        "best_hyperparameters": standard_artifacts.HyperParameters,
        "tuner_results": standard_artifacts.TunerResults,
    }
