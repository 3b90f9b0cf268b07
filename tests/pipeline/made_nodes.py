"""Two nodes that know folders only, as Keras and h5py do, and the pipeline that they make."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tfx.dsl.compiler.compiler import Compiler
from tfx.dsl.components.base import base_component, base_executor, executor_spec
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import pipeline_pb2
from tfx.types import Artifact, artifact_utils, channel, component_spec, standard_artifacts

from components.step.driver import ExecutionDriver


class WriteDriver(ExecutionDriver):
    """Leaves a note for the executor beside the outputs, as ImageExampleGen's does."""

    def facts_of(self, execution_info: data_types.ExecutionInfo) -> dict[str, str]:
        examples = Path(execution_info.output_dict["examples"][0].uri)
        examples.parent.mkdir(parents=True, exist_ok=True)
        (examples.parent / "note").write_text("pictures")
        return {"noted": "yes"}


class WriteExecutor(base_executor.BaseExecutor):
    """Writes a file, and an empty folder."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        folder = Path(examples.uri)
        (folder / "Split-train").mkdir()
        (folder / "Split-eval").mkdir()
        noted = (folder.parent / "note").read_text()
        (folder / "Split-train" / "pictures").write_text(noted)
        examples.set_string_custom_property("where", f"in {examples.uri}")


class ReadExecutor(base_executor.BaseExecutor):
    """Writes what it finds, and keeps a state that outlives it."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        folder = Path(artifact_utils.get_single_uri(input_dict["examples"]))
        found = {
            "files": sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")),
            "content": (folder / "Split-train" / "pictures").read_text(),
            "state": self._context.stateful_working_dir if self._context else None,
            "here": os.fspath(folder),
        }
        model = Path(artifact_utils.get_single_uri(output_dict["model"]))
        (model / "found.json").write_text(json.dumps(found))


class _WriteSpec(component_spec.ComponentSpec):
    PARAMETERS: dict[str, Any] = {}
    INPUTS: dict[str, Any] = {}
    OUTPUTS = {"examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)}


class _ReadSpec(component_spec.ComponentSpec):
    PARAMETERS: dict[str, Any] = {}
    INPUTS = {"examples": component_spec.ChannelParameter(type=standard_artifacts.Examples)}
    OUTPUTS = {"model": component_spec.ChannelParameter(type=standard_artifacts.Model)}


class Write(base_component.BaseComponent):
    """The first node."""

    SPEC_CLASS = _WriteSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(WriteExecutor)
    DRIVER_CLASS = WriteDriver


class Read(base_component.BaseComponent):
    """The second one."""

    SPEC_CLASS = _ReadSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(ReadExecutor)


def compiled(root: str, metadata: Any) -> pipeline_pb2.Pipeline:
    """The pipeline of the two; `metadata` is ML Metadata's own form of a store."""
    write = Write(spec=_WriteSpec(examples=channel.Channel(type=standard_artifacts.Examples)))
    model = channel.Channel(type=standard_artifacts.Model)
    read = Read(spec=_ReadSpec(examples=write.outputs["examples"], model=model))
    return Compiler().compile(
        Pipeline(
            pipeline_name="two",
            pipeline_root=root,
            components=[write, read],
            metadata_connection_config=metadata,
            enable_cache=True,
        )
    )
