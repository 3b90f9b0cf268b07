"""How long the nodes of a run took, out of ML Metadata."""

from __future__ import annotations

from typing import Any

from ml_metadata import metadata_store
from ml_metadata.proto import metadata_store_pb2

_RUN, _NODE = "pipeline_run", "node"  # TFX's context types
_DONE = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)


def node_times(store: metadata_store.MetadataStore, run_id: str) -> list[dict[str, Any]]:
    """Gives `node` and `seconds` of every finished node of the run, in the order they ran.

    A cached one has the time of the execution whose outputs it took: the same run again gives the
    same times, so that the cache has its page.
    """
    context = store.get_context_by_type_and_name(_RUN, run_id)
    if context is None:
        return []
    executions = store.get_executions_by_context(context.id)
    return [
        {"node": _node(store, execution.id), "seconds": _seconds(_made_by(store, execution))}
        for execution in sorted(executions, key=lambda execution: execution.id)
        if execution.last_known_state in _DONE
    ]


def _made_by(
    store: metadata_store.MetadataStore, execution: metadata_store_pb2.Execution
) -> metadata_store_pb2.Execution:
    """The execution that did the work: the first to give one of these outputs."""
    if execution.last_known_state != metadata_store_pb2.Execution.CACHED:
        return execution
    events = store.get_events_by_execution_ids([execution.id])
    outputs = [each.artifact_id for each in events if each.type == metadata_store_pb2.Event.OUTPUT]
    givers = [
        each.execution_id
        for each in store.get_events_by_artifact_ids(outputs)
        if each.type == metadata_store_pb2.Event.OUTPUT
    ]
    [first] = store.get_executions_by_id([min([*givers, execution.id])])
    return first


def _seconds(execution: metadata_store_pb2.Execution) -> float:
    taken = execution.last_update_time_since_epoch - execution.create_time_since_epoch
    return round(taken / 1000, 1)


def _node(store: metadata_store.MetadataStore, execution: int) -> str:
    contexts = store.get_contexts_by_execution(execution)
    return next(each.name for each in contexts if each.type == _NODE).rpartition(".")[2]
