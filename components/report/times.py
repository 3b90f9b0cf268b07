"""How long the nodes of a run took, out of ML Metadata."""

from __future__ import annotations

from typing import Any

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto.metadata_store_pb2 import Execution

from components.step import executions

_DONE = (Execution.COMPLETE, Execution.CACHED)
_LOOKS = "BaselineResolver"
"""The node that looks in each run anew which model is served: no time of it is the work's."""


def node_times(store: MetadataStore, run_id: str) -> list[dict[str, Any]]:
    """Returns `node` and `seconds` of the finished nodes of the run, in the order they ran.

    A cached one has the time of the execution whose outputs it took: the same run again gives the
    same times, so that the cache has its page.
    """
    return [
        {
            "node": node,
            "seconds": round(executions.seconds(executions.first_giver(store, execution)), 1),
        }
        for execution in executions.of_run(store, run_id)
        if execution.last_known_state in _DONE
        and (node := executions.node_id(store, execution)) != _LOOKS
    ]
