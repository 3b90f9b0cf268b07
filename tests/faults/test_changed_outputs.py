"""What an earlier run left and somebody deleted or changed is made anew, or refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlpb

from components.artifacts import file_facts
from components.settings import metadata
from pipeline.store import changed_outputs
from tests.explains import explains, refused


@pytest.fixture
def connection(tmp_path: Path) -> Any:
    return metadata.connection_config(str(tmp_path / "metadata.sqlite"))


def _published(connection: Any, folder: Path, state: int = mlpb.Artifact.LIVE) -> mlpb.Artifact:
    """Publishes a folder with one file as an output of the pipeline `cats`."""
    folder.mkdir(parents=True)
    (folder / "schema.pbtxt").write_text("feature {}")
    store = MetadataStore(connection)
    artifact = mlpb.Artifact(
        type_id=store.put_artifact_type(mlpb.ArtifactType(name="Schema")),
        uri=str(folder),
        state=state,
    )
    artifact.custom_properties[file_facts.FILES].string_value = file_facts.noted(str(folder))
    context = mlpb.Context(
        type_id=store.put_context_type(mlpb.ContextType(name="pipeline")), name="cats"
    )
    kind = store.put_execution_type(mlpb.ExecutionType(name="ImportSchemaGen"))
    event = mlpb.Event(type=mlpb.Event.OUTPUT)
    store.put_execution(
        mlpb.Execution(type_id=kind),
        [(artifact, event)],
        [context],
        reuse_context_if_already_exist=True,
    )
    return artifact


def test_a_changed_output_is_put_aside_and_named(connection: Any, tmp_path: Path) -> None:
    root = tmp_path / "cats"
    changed, whole = (root / "ImportSchemaGen" / "schema" / name for name in ("1", "2"))
    outside = tmp_path / "pushed" / "7"
    for folder in (changed, whole, outside):
        _published(connection, folder)
    for folder in (changed, outside):
        (folder / "schema.pbtxt").write_text("mine")
    [found] = changed_outputs.find(connection, "cats", str(root))
    explains(
        changed_outputs.put_aside(found),
        found=f"{changed}/schema.pbtxt was changed",
        allowed="after it was written",
        next=f"ImportSchemaGen makes it anew.*is kept in {changed}.changed-1",
    )
    assert not changed.exists()
    assert Path(f"{changed}.changed-1", "schema.pbtxt").read_text() == "mine"
    assert changed_outputs.find(connection, "cats", str(root)) == []


def test_what_was_deleted_on_purpose_is_no_change(connection: Any, tmp_path: Path) -> None:
    folder = tmp_path / "cats" / "ImportSchemaGen" / "schema" / "1"
    _published(connection, folder, mlpb.Artifact.DELETED)
    (folder / "schema.pbtxt").unlink()
    assert changed_outputs.find(connection, "cats", str(tmp_path)) == []
    assert changed_outputs.find(connection, "dogs", str(tmp_path)) == []


def test_an_input_that_was_changed_is_refused_by_name(connection: Any, tmp_path: Path) -> None:
    artifact = _published(connection, tmp_path / "schema" / "1")
    changed_outputs.check_input(artifact)
    (tmp_path / "schema" / "1" / "schema.pbtxt").unlink()
    with refused(
        changed_outputs.OutputChanged,
        found="schema.pbtxt is not there any more",
        allowed="reads only what the step before it wrote",
        next=f"Put the file back.*delete the folder {tmp_path}/schema/1",
    ):
        changed_outputs.check_input(artifact)
