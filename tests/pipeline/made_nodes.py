"""Two nodes that know folders only, as Keras and h5py do, and the pipeline that they make."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tfx.dsl.compiler.compiler import Compiler
from tfx.dsl.io import fileio
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import data_types
from tfx.proto.orchestration import pipeline_pb2
from tfx.types import standard_artifacts

from components.settings.base import Section
from components.step.artifacts import Artifacts
from components.step.base import Step, StepExecutor
from components.step.driver import StepDriver


class Nothing(Section):
    """No settings."""


class WriteDriver(StepDriver):
    """Leaves a note for the executor beside the outputs, as ImageExampleGen's does."""

    def facts_of(self, execution_info: data_types.ExecutionInfo) -> dict[str, str]:
        examples = Path(execution_info.output_dict["examples"][0].uri)
        examples.parent.mkdir(parents=True, exist_ok=True)
        (examples.parent / "note").write_text("pictures")
        return {"noted": "yes"}


class WriteExecutor(StepExecutor[Nothing]):
    """Writes a file, and an empty folder."""

    SETTINGS = Nothing

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Nothing, facts: dict[str, str]
    ) -> None:
        examples = outputs.one("examples")
        folder = Path(examples.uri)
        (folder / "Split-train").mkdir()
        (folder / "Split-eval").mkdir()
        noted = (folder.parent / "note").read_text()
        (folder / "Split-train" / "pictures").write_text(noted)
        examples.set_string_custom_property("where", f"in {examples.uri}")


class ReadExecutor(StepExecutor[Nothing]):
    """Writes what it finds, and keeps a state that outlives it."""

    SETTINGS = Nothing

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Nothing, facts: dict[str, str]
    ) -> None:
        folder = Path(inputs.uri("examples"))
        found = {
            "files": sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")),
            "content": (folder / "Split-train" / "pictures").read_text(),
            "state": self._context.stateful_working_dir if self._context else None,
            "here": os.fspath(folder),
        }
        Path(outputs.uri("model"), "found.json").write_text(json.dumps(found))


class Write(Step):
    """The first node."""

    EXECUTOR = WriteExecutor
    DRIVER_CLASS = WriteDriver
    LIBRARIES = ("numpy",)
    OUTPUTS = {"examples": standard_artifacts.Examples}


class Read(Step):
    """The second one."""

    EXECUTOR = ReadExecutor
    LIBRARIES = ()
    INPUTS = {"examples": standard_artifacts.Examples}
    OUTPUTS = {"model": standard_artifacts.Model}


class StreamExecutor(StepExecutor[Nothing]):
    """Writes what its input is called, and what a file there holds."""

    SETTINGS = Nothing

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Nothing, facts: dict[str, str]
    ) -> None:
        folder = inputs.uri("examples")
        with fileio.open(f"{folder}/Split-train/pictures") as file:
            found = {"uri": folder, "content": file.read()}
        Path(outputs.uri("model"), "found.json").write_text(json.dumps(found))


class Stream(Step):
    """In place of the second one: reads its input where it lies, as the Trainer does."""

    EXECUTOR = StreamExecutor
    LIBRARIES = ()
    INPUTS = {"examples": standard_artifacts.Examples}
    OUTPUTS = {"model": standard_artifacts.Model}
    STREAMED = ("examples",)


def compiled(root: str, metadata: Any, reader: type[Step] = Read) -> pipeline_pb2.Pipeline:
    """The pipeline of the two; `metadata` is ML Metadata's own form of a store."""
    write = Write(Nothing())
    read = reader(Nothing(), examples=write.outputs["examples"])
    return Compiler().compile(
        Pipeline(
            pipeline_name="two",
            pipeline_root=root,
            components=[write, read],
            metadata_connection_config=metadata,
            enable_cache=True,
        )
    )
