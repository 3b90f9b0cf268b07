"""ImageExampleGen: labelled pictures in, three splits of Examples out."""

from __future__ import annotations

from typing import Any

from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.orchestration.portable import data_types
from tfx.types import channel, component_spec, standard_artifacts

from components.artifacts.types import ClassList, IngestReport
from components.image_example_gen import listing_handover, sources
from components.image_example_gen.executor import Executor
from components.settings.data import Data
from components.step.code_version import code_version
from components.step.driver import ExecutionDriver


class ImageExampleGenSpec(component_spec.ComponentSpec):
    """Parameters and outputs of ImageExampleGen."""

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


class Driver(ExecutionDriver):
    """Adds the fingerprint of every file: TFX's own would not see a picture change its class."""

    def facts_of(self, execution_info: data_types.ExecutionInfo) -> dict[str, str]:
        """Lists the source, unless this run's command did, and keeps the listing."""
        node = listing_handover.node_folder(execution_info.output_dict)
        data = Data.model_validate_json(execution_info.exec_properties["data"])
        listing = listing_handover.kept_for_run(node, execution_info.pipeline_run_id)
        return {"fingerprint": listing_handover.keep(listing or sources.scan(data), node)}


class ImageExampleGen(base_beam_component.BaseBeamComponent):
    """Reads the sources and writes the splits, the class list and the ingest report."""

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
