"""StatisticsGen: TFDV's statistics of everything but pixels, without Beam.

TFX's component reads whole Examples in batches of up to 1,000 and builds a Beam graph of 900 steps:
7 s of CPU for 30 pictures, and 130 MB more memory than it starts with for 1,000 pictures of 200 KB.
"""

from __future__ import annotations

from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import BaseChannel, channel, component_spec, standard_artifacts

from components.statistics_gen.executor import Executor
from components.step.code_version import code_version


class StatisticsGenSpec(component_spec.ComponentSpec):
    """What StatisticsGen takes and gives."""

    PARAMETERS = {"code_version": component_spec.ExecutionParameter(type=str)}
    INPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "schema": component_spec.ChannelParameter(type=standard_artifacts.Schema),
    }
    OUTPUTS = {
        "statistics": component_spec.ChannelParameter(type=standard_artifacts.ExampleStatistics)
    }


class StatisticsGen(base_component.BaseComponent):
    """Writes the standard ExampleStatistics of every split."""

    SPEC_CLASS = StatisticsGenSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, examples: BaseChannel, schema: BaseChannel):
        """Makes the component.

        Args:
          examples: ingested pictures.
          schema: the features that are counted.
        """
        super().__init__(
            spec=StatisticsGenSpec(
                examples=examples,
                schema=schema,
                code_version=code_version(__name__),
                statistics=channel.Channel(type=standard_artifacts.ExampleStatistics),
            )
        )
