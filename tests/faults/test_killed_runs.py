"""Executions of killed runs don't stay under way in the metadata."""

from __future__ import annotations

from pathlib import Path

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlpb

from components.settings import metadata
from components.step import executions
from pipeline.store import killed_runs

STATES = (mlpb.Execution.COMPLETE, mlpb.Execution.RUNNING, mlpb.Execution.FAILED)


def _execute(store: MetadataStore, pipeline: str, state: int) -> int:
    context = mlpb.Context(
        type_id=store.put_context_type(mlpb.ContextType(name="pipeline")), name=pipeline
    )
    kind = store.put_execution_type(mlpb.ExecutionType(name="Trainer"))
    execution = mlpb.Execution(type_id=kind, last_known_state=state)
    number, _, _ = store.put_execution(
        execution, [], [context], reuse_context_if_already_exist=True
    )
    return number


def test_what_runs_in_no_process_is_canceled_once(tmp_path: Path) -> None:
    connection = metadata.connection_config(str(tmp_path / "metadata.sqlite"))
    assert killed_runs.cancel(connection, "cats") == 0
    store = MetadataStore(connection)
    own = [_execute(store, "cats", state) for state in STATES]
    others = _execute(store, "dogs", mlpb.Execution.RUNNING)
    assert killed_runs.cancel(connection, "cats") == 1
    found = store.get_executions_by_id([*own, others])
    wanted = [STATES[0], mlpb.Execution.CANCELED, STATES[2], mlpb.Execution.RUNNING]
    assert [execution.last_known_state for execution in found] == wanted
    assert killed_runs.cancel(connection, "cats") == 0
    assert executions.seconds(found[1]) == 0.0
