"""Tuner: finds the head and the learning rate of phase `frozen`, on cached features."""

from __future__ import annotations

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, channel, component_spec, standard_artifacts

from components.artifacts.types import Bottlenecks, ClassList
from components.settings.model import Model
from components.settings.training import Training
from components.settings.tuner import Tuner as Settings
from components.step.code_version import code_version
from components.tuner.executor import Executor


class TunerSpec(component_spec.ComponentSpec):
    """What Tuner takes and gives."""

    PARAMETERS = {
        "network": component_spec.ExecutionParameter(type=str),
        "height": component_spec.ExecutionParameter(type=int),
        "width": component_spec.ExecutionParameter(type=int),
        "training": component_spec.ExecutionParameter(type=str),
        "tuner": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "bottlenecks": component_spec.ChannelParameter(type=Bottlenecks),
        "class_list": component_spec.ChannelParameter(type=ClassList),
    }
    # TFX's own, so that any consumer of its Tuner reads them.
    OUTPUTS = {
        "best_hyperparameters": component_spec.ChannelParameter(
            type=standard_artifacts.HyperParameters
        ),
        "tuner_results": component_spec.ChannelParameter(type=standard_artifacts.TunerResults),
    }


class Tuner(base_component.BaseComponent):
    """Writes the best trial's values, which Trainer applies, and the table of all trials.

    Not TFX's component, which hands its `tuner_fn` Examples and a file of code: it reads what
    BottleneckGen gave, and what it runs is this project's code. It writes what TFX's one writes.
    """

    SPEC_CLASS = TunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        bottlenecks: BaseChannel,
        class_list: BaseChannel,
        model: Model,
        size: list[int],
        training: Training,
        tuner: Settings,
    ):
        """Makes the component.

        Args:
          bottlenecks: what the head reads.
          class_list: the class names.
          model: the network; its weights do not count here.
          size: height and width in pixels.
          training: of it phase `frozen` and what both phases share.
          tuner: what is searched, and how.
        """
        shared = {"batch_size", "seed", "class_weights", "label_smoothing", "frozen"}
        super().__init__(
            spec=TunerSpec(
                bottlenecks=bottlenecks,
                class_list=class_list,
                network=model.model_copy(update={"weights": None}).model_dump_json(),
                height=size[0],
                width=size[1],
                training=training.model_dump_json(include=shared),
                tuner=tuner.model_dump_json(),
                code_version=code_version(__name__),
                best_hyperparameters=channel.Channel(type=standard_artifacts.HyperParameters),
                tuner_results=channel.Channel(type=standard_artifacts.TunerResults),
            )
        )
