"""ImportSchemaGen: TFX's component for the one schema that ingested pictures have."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tfx.components.schema_gen.import_schema_gen import component

from components.drivers import FactsDriver

_SCHEMA = Path(__file__).with_name("schema.pbtxt")


class Driver(FactsDriver):
    """Adds the file's content: TFX sees only its path."""

    def facts(self, exec_properties: dict[str, Any]) -> dict[str, str]:
        content = Path(exec_properties["schema_file"]).read_bytes()
        return {"schema_sha256": hashlib.sha256(content).hexdigest()}


class ImportSchemaGen(component.ImportSchemaGen):
    """Gives the static schema of ImageExampleGen's features."""

    DRIVER_CLASS = Driver

    def __init__(self) -> None:
        super().__init__(schema_file=str(_SCHEMA))
