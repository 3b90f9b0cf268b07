"""BottleneckGen: runs the frozen base once per picture, so that fitting a head costs seconds."""

from __future__ import annotations

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import BaseChannel, channel, component_spec, standard_artifacts

from components.artifacts.types import Bottlenecks
from components.bottleneck_gen.executor import Executor
from components.model.chosen_weights import WeightsDriver
from components.settings.model import Head, Model
from components.settings.training import Training
from components.step.code_version import code_version


class BottleneckGenSpec(component_spec.ComponentSpec):
    """What BottleneckGen takes and gives."""

    PARAMETERS = {
        "network": component_spec.ExecutionParameter(type=str),
        "height": component_spec.ExecutionParameter(type=int),
        "width": component_spec.ExecutionParameter(type=int),
        "seed": component_spec.ExecutionParameter(type=int),
        "budget_mb": component_spec.ExecutionParameter(type=int),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "baseline": component_spec.ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS = {"bottlenecks": component_spec.ChannelParameter(type=Bottlenecks)}


class BottleneckGen(base_beam_component.BaseBeamComponent):
    """Writes the pooled output of the frozen base for the `train` and `eval` splits."""

    SPEC_CLASS = BottleneckGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = WeightsDriver

    def __init__(
        self,
        examples: BaseChannel,
        transform_graph: BaseChannel,
        model: Model,
        size: list[int],
        training: Training,
        baseline: BaseChannel | None = None,
    ):
        """Makes the component.

        Args:
          examples: ingested pictures.
          transform_graph: what they go through before the network.
          model: the network; of its head only what learns nothing counts here.
          size: height and width in pixels.
          training: of it the seed of random weights, and the disk that may be taken.
          baseline: the model served now, where the base is to be that one's.
        """
        head = Head(
            pooling=model.head.pooling, squeeze_excitation=model.head.squeeze_excitation and 1
        )
        only_base = model.model_copy(update={"head": head})
        super().__init__(
            spec=BottleneckGenSpec(
                examples=examples,
                transform_graph=transform_graph,
                baseline=baseline,
                network=only_base.model_dump_json(),
                height=size[0],
                width=size[1],
                # A pretrained base does not depend on it, and must not run again for it.
                seed=training.seed if model.weights is None else 0,
                budget_mb=training.cache_budget_mb,
                code_version=code_version(__name__),
                bottlenecks=channel.Channel(type=Bottlenecks),
            )
        )
