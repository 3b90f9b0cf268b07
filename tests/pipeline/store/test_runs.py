from __future__ import annotations

from pathlib import Path

import pytest
from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

from pipeline.store import outputs
from pipeline.store.runs import Node, Run, read_run, run_ids
from tests.pipeline.store.made_runs import judged_run

COMPLETE = metadata_store_pb2.Execution.COMPLETE
CACHED = metadata_store_pb2.Execution.CACHED
FAILED = metadata_store_pb2.Execution.FAILED


@pytest.mark.parametrize(
    ("gate", "pushed", "pusher", "verdict"),
    [
        ("passed", 7, "ran", "pushed"),
        ("refused", None, "ran", "refused"),
        ("unchanged", None, "ran", "unchanged"),
        ("passed", None, "ran", "unchanged"),  # the model served already came out again
        ("passed", 7, "cached", "unchanged"),  # an earlier run pushed it
        ("passed", 7, "failed", "failed"),
    ],
)
def test_the_verdict_of_a_run(
    tmp_path: Path, gate: str, pushed: int | None, pusher: str, verdict: str
) -> None:
    run = judged_run(tmp_path, gate, pushed, pusher)
    assert run.verdict == verdict
    if verdict != "failed":
        assert run.pushed_version == (7 if verdict == "pushed" else None)


def test_a_model_that_no_server_serves_is_refused_with_the_reason(tmp_path: Path) -> None:
    run = judged_run(tmp_path, "passed", None, fault="it crashed")
    assert run.verdict == "refused"
    assert [row["metric"] for row in run.gate if not row["passed"]] == ["servable"]
    assert "it crashed" in run.gate[-1]["needed"]


def test_a_model_that_a_rollback_withdrew_is_refused_with_the_way_back(tmp_path: Path) -> None:
    run = judged_run(tmp_path, "passed", None)
    pushed = run.outputs[outputs.PUSHED_MODEL]
    pushed.custom_properties["withdrawn_version"].string_value = "7"
    assert run.verdict == "refused"
    assert [row["metric"] for row in run.gate if not row["passed"]] == ["withdrawn"]
    assert "rollback --to 7 serves it again" in run.gate[-1]["needed"]


def test_every_row_of_the_gate_has_the_keys_of_the_contract(tmp_path: Path) -> None:
    rows = judged_run(tmp_path, "passed", 7).gate
    assert [row["metric"] for row in rows] == ["accuracy", "servable"]
    assert all(set(row) == {"metric", "slice", "found", "needed", "passed"} for row in rows)


def test_a_run_that_ended_before_the_push_has_no_verdict() -> None:
    assert Run("run-1", {"Trainer": Node("ran", 1.0)}, {}).verdict is None


def _sqlite(folder: Path) -> metadata_store_pb2.ConnectionConfig:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(folder / "metadata.sqlite")
    return config


def _record(store: metadata_store.MetadataStore, run_id: str, states: dict[str, int]) -> None:
    """Writes what TFX's launcher writes: contexts, executions, one output each."""
    types = {
        name: store.put_context_type(metadata_store_pb2.ContextType(name=name))
        for name in ("pipeline_run", "node")
    }
    execution_type = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Any"))
    for node, state in states.items():
        artifact_type = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Model"))
        execution = metadata_store_pb2.Execution(type_id=execution_type, last_known_state=state)
        output = metadata_store_pb2.Artifact(type_id=artifact_type, uri=f"/{run_id}/{node}")
        event = metadata_store_pb2.Event(type=metadata_store_pb2.Event.OUTPUT)
        event.path.steps.add(key="model")
        contexts = [
            metadata_store_pb2.Context(type_id=types["pipeline_run"], name=run_id),
            metadata_store_pb2.Context(type_id=types["node"], name=f"pictures.{node}"),
        ]
        store.put_execution(
            execution, [(output, event)], contexts, reuse_context_if_already_exist=True
        )


def test_the_states_and_outputs_of_a_run_are_read_from_the_metadata(tmp_path: Path) -> None:
    connection = _sqlite(tmp_path)
    store = metadata_store.MetadataStore(connection)
    _record(store, "run-1", {"Transform": COMPLETE})
    _record(store, "run-2", {"Transform": CACHED, "Trainer": COMPLETE, "Evaluator": FAILED})
    run = read_run(connection, "run-2", ["Transform", "Trainer", "Evaluator", "Pusher"])
    assert {name: node.state for name, node in run.nodes.items()} == {
        "Transform": "cached",
        "Trainer": "ran",
        "Evaluator": "failed",
        "Pusher": "skipped",
    }
    assert run.outputs["Trainer", "model"].uri == "/run-2/Trainer"
    assert run.outputs["Transform", "model"].uri == "/run-2/Transform"  # of the same type
    assert run.verdict == "failed"
    assert run_ids(connection) == ["run-2", "run-1"]


def test_a_run_nobody_knows_skipped_everything(tmp_path: Path) -> None:
    connection = _sqlite(tmp_path)
    _record(metadata_store.MetadataStore(connection), "run-1", {"Transform": COMPLETE})
    run = read_run(connection, "run-9", ["Transform"])
    assert run.nodes == {"Transform": Node("skipped", 0.0)}
