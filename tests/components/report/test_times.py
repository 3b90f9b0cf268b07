"""The times of a run's nodes, out of ML Metadata."""

from __future__ import annotations

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.report.times import node_times

COMPLETE, CACHED = mlmd.Execution.COMPLETE, mlmd.Execution.CACHED


class _Runs:
    """Runs as TFX records them: executions, the contexts of run and node, and output events."""

    def __init__(self) -> None:
        fake = mlmd.ConnectionConfig(fake_database=mlmd.FakeDatabaseConfig())
        self.store = MetadataStore(fake)
        self._contexts = {
            kind: self.store.put_context_type(mlmd.ContextType(name=kind))
            for kind in ("pipeline_run", "node")
        }
        self._execution = self.store.put_execution_type(mlmd.ExecutionType(name="step"))
        self._artifact = self.store.put_artifact_type(mlmd.ArtifactType(name="output"))
        self._made: dict[str, mlmd.Artifact] = {}

    def add(self, run: str, node: str, state: int) -> None:
        """Records that a run executed a node, or took its outputs from the cache."""
        if state == COMPLETE:
            self._made[node] = mlmd.Artifact(type_id=self._artifact, uri=f"/{run}/{node}")
        event = mlmd.Event(type=mlmd.Event.OUTPUT)
        event.path.steps.add().key = "output"
        execution = mlmd.Execution(type_id=self._execution, last_known_state=state)
        contexts = [
            mlmd.Context(type_id=self._contexts[kind], name=name)
            for kind, name in (("pipeline_run", run), ("node", f"animals.{node}"))
        ]
        _, [artifact_id], _ = self.store.put_execution(
            execution, [(self._made[node], event)], contexts, reuse_context_if_already_exist=True
        )
        self._made[node].id = artifact_id


@pytest.mark.parametrize("order", [["A", "B", "C"], ["B", "A", "C"], ["C", "B", "A"]])
def test_the_same_run_again_gives_the_same_list_in_whatever_order_its_nodes_began(
    order: list[str],
) -> None:
    runs = _Runs()
    for node in ["B", "C", "A"]:
        runs.add("first", node, COMPLETE)
    for node in order:
        runs.add("again", node, CACHED)
    assert [row["node"] for row in node_times(runs.store, "first")] == ["B", "C", "A"]
    assert node_times(runs.store, "again") == node_times(runs.store, "first")


def test_the_look_at_what_is_served_and_a_failed_try_are_left_out() -> None:
    runs = _Runs()
    runs.add("first", "BaselineResolver", COMPLETE)
    runs.add("first", "A", COMPLETE)
    runs.add("again", "B", COMPLETE)
    runs.add("again", "A", mlmd.Execution.FAILED)
    runs.add("again", "A", CACHED)
    assert [row["node"] for row in node_times(runs.store, "first")] == ["A"]
    assert [row["node"] for row in node_times(runs.store, "again")] == ["A", "B"]
