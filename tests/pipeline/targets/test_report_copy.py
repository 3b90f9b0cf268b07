"""`report --pipeline` names a run as `report --root` does, among its own pipeline's runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.proto.orchestration import pipeline_pb2

from components.errors import ConfigError
from pipeline import node_runner
from pipeline.targets.report_copy import copy_report
from tests.explains import refused
from tests.pipeline.store import made_metadata

_RUNS = ("20261101-aaaa", "20261108-bbbb")


@pytest.fixture
def compiled(tmp_path: Path) -> Path:
    """A compiled pipeline `fruit` with two runs; its store has a newer run of another pipeline."""
    for run_id in (*_RUNS, "20261109-cccc"):
        made_metadata.record(tmp_path, run_id, {"Report": {"run": run_id}})
    known = made_metadata.store(tmp_path)
    kind = known.put_context_type(metadata_store_pb2.ContextType(name="pipeline"))
    [parent] = known.put_contexts([metadata_store_pb2.Context(type_id=kind, name="fruit")])
    known.put_parent_contexts(
        [
            metadata_store_pb2.ParentContext(
                child_id=known.get_context_by_type_and_name("pipeline_run", run_id).id,
                parent_id=parent,
            )
            for run_id in _RUNS
        ]
    )
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "metadata.sqlite")
    deployment = pipeline_pb2.IntermediateDeploymentConfig()
    deployment.metadata_connection_config.Pack(config)
    made = pipeline_pb2.Pipeline()
    made.pipeline_info.id = "fruit"
    made.nodes.add()
    made.deployment_config.Pack(deployment)
    node_runner.write_compiled(made, tmp_path / "compiled.json")
    return tmp_path / "compiled.json"


@pytest.mark.parametrize(
    ("name", "run_id"),
    [
        (_RUNS[0], _RUNS[0]),
        ("20261101", _RUNS[0]),
        ("previous", _RUNS[0]),
        ("latest", _RUNS[1]),
    ],
)
def test_a_run_is_named_by_its_beginning_or_age(
    compiled: Path, tmp_path: Path, name: str, run_id: str
) -> None:
    copy_report(compiled, name, tmp_path / "copy")
    assert run_id in (tmp_path / "copy" / "configuration.json").read_text()


@pytest.mark.parametrize("name", ["2026", "20261109-cccc"])
def test_what_names_no_run_or_several_is_refused_with_those_there_are(
    compiled: Path, tmp_path: Path, name: str
) -> None:
    with refused(
        ConfigError, found=f"{name!r}", allowed="20261108-bbbb, 20261101-aaaa", next="Name one of"
    ):
        copy_report(compiled, name, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
