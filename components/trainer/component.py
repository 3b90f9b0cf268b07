"""Trainer: fits the network in two phases and exports what TensorFlow Serving loads."""

from __future__ import annotations

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, channel, component_spec, standard_artifacts

from components.artifacts.types import Bottlenecks, ClassList
from components.model.chosen_weights import WeightsDriver
from components.settings.model import Model
from components.settings.training import Training
from components.step.code_version import code_version
from components.trainer.executor import Executor


class TrainerSpec(component_spec.ComponentSpec):
    """What Trainer takes and gives."""

    PARAMETERS = {
        "network": component_spec.ExecutionParameter(type=str),
        "training": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "bottlenecks": component_spec.ChannelParameter(type=Bottlenecks, optional=True),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "class_list": component_spec.ChannelParameter(type=ClassList),
        "baseline": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
        "hyperparameters": component_spec.ChannelParameter(
            type=standard_artifacts.HyperParameters, optional=True
        ),
    }
    OUTPUTS = {
        "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
        "model_run": component_spec.ChannelParameter(type=standard_artifacts.ModelRun),
    }


class Trainer(base_component.BaseComponent):
    """Writes the SavedModel, `model.keras` beside it, and the run's history and events."""

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DRIVER_CLASS = WeightsDriver

    def __init__(
        self,
        examples: BaseChannel,
        transform_graph: BaseChannel,
        class_list: BaseChannel,
        model: Model,
        training: Training,
        bottlenecks: BaseChannel | None = None,
        baseline: BaseChannel | None = None,
        hyperparameters: BaseChannel | None = None,
    ):
        """Makes the component.

        Args:
          examples: ingested pictures.
          transform_graph: what they go through before the network.
          class_list: the class names.
          model: the network.
          training: the two phases.
          bottlenecks: what phase `frozen` reads where its features are cached.
          baseline: the model served now, where the training is to start from it.
          hyperparameters: what Tuner found; takes the place of what `model` and `training` say.
        """
        super().__init__(
            spec=TrainerSpec(
                examples=examples,
                bottlenecks=bottlenecks,
                transform_graph=transform_graph,
                class_list=class_list,
                baseline=baseline,
                hyperparameters=hyperparameters,
                network=model.model_dump_json(),
                training=training.model_dump_json(),
                code_version=code_version(__name__),
                model=channel.Channel(type=standard_artifacts.Model),
                model_run=channel.Channel(type=standard_artifacts.ModelRun),
            )
        )
