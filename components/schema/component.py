"""ImportSchemaGen: TFX's component for the one schema that ingested pictures have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tfx.components.schema_gen.import_schema_gen import component, executor
from tfx.dsl.components.base import executor_spec

from components.step.artifacts import ArtifactLists
from components.step.driver import Keyed

_FOLDER = Path(__file__).parent
_SCHEMA = "schema.pbtxt"


class Executor(executor.Executor):
    """Finds the file where this machine has the project: a compiled pipeline may have travelled."""

    def Do(
        self, input_dict: ArtifactLists, output_dict: ArtifactLists, exec_properties: dict[str, Any]
    ) -> None:
        path = str(_FOLDER / exec_properties["schema_file"])
        super().Do(input_dict, output_dict, {**exec_properties, "schema_file": path})


class ImportSchemaGen(Keyed, component.ImportSchemaGen):
    """Imports the static schema of ImageExampleGen's features."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    FILES = _SCHEMA  # TFX sees only its name
    LIBRARIES = ("tfx",)

    def __init__(self) -> None:
        super().__init__(schema_file=_SCHEMA)
