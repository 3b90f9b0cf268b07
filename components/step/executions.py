"""Reads from ML Metadata the nodes that a run executed: names, times and outputs."""

from __future__ import annotations

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto.metadata_store_pb2 import Artifact, Event, Execution

RUN, _NODE = "pipeline_run", "node"  # TFX's context types


def of_run(store: MetadataStore, run_id: str) -> list[Execution]:
    """Returns a run's executions in the order in which they began; none of an unknown run."""
    context = store.get_context_by_type_and_name(RUN, run_id)
    found = store.get_executions_by_context(context.id) if context else []
    return sorted(found, key=lambda execution: execution.id)


def node_id(store: MetadataStore, execution: Execution) -> str:
    """Returns the id of the node that was executed."""
    contexts = store.get_contexts_by_execution(execution.id)
    name: str = next(context.name for context in contexts if context.type == _NODE)
    return name.rpartition(".")[2]


def seconds(execution: Execution) -> float:
    """Returns how long an execution took; 0 for a killed one, whose end is not known."""
    if execution.last_known_state in (Execution.RUNNING, Execution.CANCELED):
        return 0.0
    taken = execution.last_update_time_since_epoch - execution.create_time_since_epoch
    return taken / 1000


def outputs(store: MetadataStore, execution: Execution) -> dict[str, Artifact]:
    """Returns an execution's outputs by their keys; of several artifacts the last one."""
    return _of(store, execution, Event.OUTPUT)


def inputs(store: MetadataStore, execution: Execution) -> dict[str, Artifact]:
    """Returns an execution's inputs by their keys; of several artifacts the last one."""
    return _of(store, execution, Event.INPUT)


def readers(store: MetadataStore, artifact_id: int) -> list[Execution]:
    """Returns the executions that have an artifact as input, the oldest first."""
    events = store.get_events_by_artifact_ids([artifact_id])
    ids = {event.execution_id for event in events if event.type == Event.INPUT}
    return sorted(store.get_executions_by_id(list(ids)), key=lambda execution: execution.id)


def _of(store: MetadataStore, execution: Execution, kind: int) -> dict[str, Artifact]:
    events = store.get_events_by_execution_ids([execution.id])
    keys = {each.artifact_id: each.path.steps[0].key for each in events if each.type == kind}
    return {keys[artifact.id]: artifact for artifact in store.get_artifacts_by_id(list(keys))}


def first_giver(store: MetadataStore, execution: Execution) -> Execution:
    """Returns the execution that did the work; of a cached one, the first with its outputs."""
    if execution.last_known_state != Execution.CACHED:
        return execution
    made = [artifact.id for artifact in outputs(store, execution).values()]
    givers = [
        event.execution_id
        for event in store.get_events_by_artifact_ids(made)
        if event.type == Event.OUTPUT
    ]
    [first] = store.get_executions_by_id([min([*givers, execution.id])])
    return first
