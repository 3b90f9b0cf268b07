"""A root of runs: ML Metadata and artifacts as TFX's launcher leaves them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.store import outputs

_MADE = {
    "GateVerdict": (outputs.VERDICT, "verdict.json"),
    "IngestReport": (outputs.INGEST_REPORT, "report.json"),
    "Report": (outputs.REPORT, "configuration.json"),
}
"""By artifact type: the output, and its file."""


def store(root: Path) -> metadata_store.MetadataStore:
    """The root's metadata."""
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(root / "metadata.sqlite")
    return metadata_store.MetadataStore(config)


def record(
    root: Path,
    run_id: str,
    documents: dict[str, Any],
    pushed: str | None = None,
    known: metadata_store.MetadataStore | None = None,
    state: int = metadata_store_pb2.Execution.COMPLETE,
) -> None:
    """Writes a run with one output each, whose file holds that document.

    Args:
      root: the folder of runs.
      run_id: the run's id.
      documents: by artifact type.
      pushed: the version that it pushed.
      known: the metadata, if not the root's.
      state: of its Pusher.
    """
    known = known or store(root)
    for kind, document in documents.items():
        folder = root / run_id / kind
        folder.mkdir(parents=True)
        output, file = _MADE[kind]
        (folder / file).write_text(json.dumps(document))
        execute(known, run_id, output, kind, folder)
    properties: dict[str, int | str] = {"pushed": int(pushed is not None)}
    if pushed is not None:
        properties["pushed_version"] = pushed
    execute(known, run_id, outputs.PUSHED_MODEL, "PushedModel", root, properties, state)


def execute(
    known: metadata_store.MetadataStore,
    run_id: str,
    made: outputs.Output,
    kind: str,
    folder: Path,
    properties: dict[str, int | str] | None = None,
    state: int = metadata_store_pb2.Execution.COMPLETE,
) -> None:
    """Records one execution of the pipeline `fruit`, with one output.

    Args:
      known: the metadata.
      run_id: the run's id.
      made: the node and its output's key.
      kind: the artifact's type.
      folder: where it lies.
      properties: its custom ones.
      state: of the execution.
    """
    node, key = made
    types = {
        name: known.put_context_type(metadata_store_pb2.ContextType(name=name))
        for name in ("pipeline_run", "node")
    }
    execution_type = known.put_execution_type(metadata_store_pb2.ExecutionType(name=node))
    output = metadata_store_pb2.Artifact(
        type_id=known.put_artifact_type(metadata_store_pb2.ArtifactType(name=kind)),
        uri=str(folder),
        state=metadata_store_pb2.Artifact.LIVE,
    )
    for name, value in (properties or {}).items():
        if isinstance(value, int):
            output.custom_properties[name].int_value = value
        else:
            output.custom_properties[name].string_value = value
    execution = metadata_store_pb2.Execution(type_id=execution_type, last_known_state=state)
    contexts = [
        metadata_store_pb2.Context(type_id=types["pipeline_run"], name=run_id),
        metadata_store_pb2.Context(type_id=types["node"], name=f"fruit.{node}"),
    ]
    event = metadata_store_pb2.Event(type=metadata_store_pb2.Event.OUTPUT)
    event.path.steps.add(key=key)
    known.put_execution(execution, [(output, event)], contexts, reuse_context_if_already_exist=True)
