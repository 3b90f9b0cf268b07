"""Ends in ML Metadata what a killed run left there as under way."""

from __future__ import annotations

from typing import Any

from ml_metadata.proto.metadata_store_pb2 import Execution

from pipeline.store import metadata_store


def cancel(connection: Any, pipeline_name: str) -> int:
    """Marks a pipeline's running executions as canceled, and returns their number.

    Call it while holding the root's lock: the process that began them has ended then.
    """
    with metadata_store.opened(connection) as store:
        pipeline = store.get_context_by_type_and_name("pipeline", pipeline_name)
        if pipeline is None:
            return 0
        found = store.get_executions_by_context(pipeline.id)
        left = [each for each in found if each.last_known_state == Execution.RUNNING]
        for execution in left:
            execution.last_known_state = Execution.CANCELED
        if left:
            store.put_executions(left)
    return len(left)
