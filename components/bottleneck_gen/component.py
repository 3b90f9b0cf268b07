"""BottleneckGen: runs the frozen base once per picture, so that fitting a head costs seconds."""

from __future__ import annotations

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import BaseChannel, channel, component_spec, standard_artifacts

from components.artifact_types import Bottlenecks
from components.bottleneck_gen.executor import Executor
from components.code_version import code_version
from components.settings.model import Head, Model
from components.weights_driver import WeightsDriver


class BottleneckGenSpec(component_spec.ComponentSpec):
    """What BottleneckGen takes and gives."""

    PARAMETERS = {
        "network": component_spec.ExecutionParameter(type=str),
        "height": component_spec.ExecutionParameter(type=int),
        "width": component_spec.ExecutionParameter(type=int),
        "seed": component_spec.ExecutionParameter(type=int),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
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
        seed: int,
    ):
        """Makes the component.

        Args:
          examples: ingested pictures.
          transform_graph: what they go through before the network.
          model: the network; of its head only the pooling counts here.
          size: height and width in pixels.
          seed: of random weights, where `model.weights` is null.
        """
        only_base = model.model_copy(update={"head": Head(pooling=model.head.pooling)})
        super().__init__(
            spec=BottleneckGenSpec(
                examples=examples,
                transform_graph=transform_graph,
                network=only_base.model_dump_json(),
                height=size[0],
                width=size[1],
                # A pretrained base does not depend on it, and must not run again for it.
                seed=seed if model.weights is None else 0,
                code_version=code_version(__name__),
                bottlenecks=channel.Channel(type=Bottlenecks),
            )
        )
