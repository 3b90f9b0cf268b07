"""Times that the nodes of a run took, from ML Metadata."""

from __future__ import annotations

from typing import Any

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto.metadata_store_pb2 import Execution

from components.step import executions

_DONE = (Execution.COMPLETE, Execution.CACHED)
_LOOKS = "BaselineResolver"
"""The node that looks in each run anew which model is served: no time of it is the work's."""


def node_times(store: MetadataStore, run_id: str) -> list[dict[str, Any]]:
    """Returns `node` and `seconds` of the finished nodes of the run.

    A cached one has the time and the place in the order of the execution whose outputs it took:
    the same run again gives the same list, so that the cache has its page. Schedulers differ in
    which of two nodes they begin first, where neither waits for the other.
    """
    done = [
        (executions.first_giver(store, execution), node)
        for execution in executions.of_run(store, run_id)
        if execution.last_known_state in _DONE
        and (node := executions.node_id(store, execution)) != _LOOKS
    ]
    return [
        {"node": node, "seconds": round(executions.seconds(giver), 1)}
        for giver, node in sorted(done, key=lambda pair: pair[0].id)
    ]
