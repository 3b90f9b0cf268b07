"""ImportSchemaGen: TFX's component for the one schema that ingested pictures have."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tfx.components.schema_gen.import_schema_gen import component, executor
from tfx.dsl.components.base import executor_spec
from tfx.types import Artifact

from components.step.driver import FactsDriver

_FOLDER = Path(__file__).parent
_SCHEMA = "schema.pbtxt"


class Driver(FactsDriver):
    """Adds the file's content: TFX sees only its name."""

    def facts(self, exec_properties: dict[str, Any]) -> dict[str, str]:
        content = (_FOLDER / exec_properties["schema_file"]).read_bytes()
        return {"schema_sha256": hashlib.sha256(content).hexdigest()}


class Executor(executor.Executor):
    """Finds the file where this machine has the project: a compiled pipeline may have travelled."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        path = str(_FOLDER / exec_properties["schema_file"])
        super().Do(input_dict, output_dict, {**exec_properties, "schema_file": path})


class ImportSchemaGen(component.ImportSchemaGen):
    """Gives the static schema of ImageExampleGen's features."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)
    DRIVER_CLASS = Driver

    def __init__(self) -> None:
        super().__init__(schema_file=_SCHEMA)
