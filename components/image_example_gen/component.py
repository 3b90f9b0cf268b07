"""ImageExampleGen: a folder of labelled pictures in, three splits of Examples out."""

from __future__ import annotations

from typing import Any

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import channel, component_spec, standard_artifacts

from components.artifact_types import ClassList, IngestReport
from components.code_version import code_version
from components.drivers import FactsDriver
from components.image_example_gen import sources
from components.image_example_gen.executor import Executor
from components.settings import Data


class ImageExampleGenSpec(component_spec.ComponentSpec):
    """What ImageExampleGen takes and gives."""

    PARAMETERS = {
        "data": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
    }
    INPUTS: dict[str, Any] = {}
    OUTPUTS = {
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "class_list": component_spec.ChannelParameter(type=ClassList),
        "ingest_report": component_spec.ChannelParameter(type=IngestReport),
    }


class Driver(FactsDriver):
    """Adds the fingerprint of every file: TFX's own would not see a picture change its class."""

    def facts(self, exec_properties: dict[str, Any]) -> dict[str, str]:
        data = Data.model_validate_json(exec_properties["data"])
        return {"fingerprint": sources.scan(data.source).fingerprint()}


class ImageExampleGen(base_beam_component.BaseBeamComponent):
    """Reads `source/<class>/**/*` and writes the splits, the class list and the ingest report."""

    SPEC_CLASS = ImageExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(self, data: Data):
        """Makes the component.

        Args:
          data: source, splits and limits.
        """
        super().__init__(
            spec=ImageExampleGenSpec(
                data=data.model_dump_json(),
                code_version=code_version(__name__),
                examples=channel.Channel(type=standard_artifacts.Examples),
                class_list=channel.Channel(type=ClassList),
                ingest_report=channel.Channel(type=IngestReport),
            )
        )
