"""Asks the cache about every node of a run, as the run itself would, and runs none.

The same launcher and drivers compute the same keys, against a copy of the metadata and with a
folder of its own in place of the root: nothing is written where the runs lie.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tfx.dsl.compiler.compiler import Compiler
from tfx.proto.orchestration import pipeline_pb2

from components.image_example_gen import listing_handover, sources
from components.settings import metadata
from pipeline import local_runner, node_runner
from pipeline.config import Config
from pipeline.definition import create_pipeline
from pipeline.launch.node_launcher import CacheLauncher, Launcher, WouldRun
from pipeline.store import runs

SKIPPED, WOULD_RUN = "skipped", "would run"
RUN_ID = "dry-run"


def states(
    config: Config,
    listing: sources.Listing,
    store: str,
    folder: Path,
    from_node: str | None = None,
    to_node: str | None = None,
) -> dict[str, str]:
    """Returns each node's state, in the order in which the nodes run.

    Args:
      config: the whole configuration.
      listing: of its pictures.
      store: a SQLite file, a copy of the metadata, which changes.
      folder: an empty folder in place of the pipeline's root.
      from_node: the first node of a partial run.
      to_node: the last node of one.

    Returns:
      `cached`, `would run`, or `skipped` in a partial run. A node that reads what another one
      would make has to run, too.

    Raises:
      UserError: a driver finds that the node can't run.
    """
    pipeline = create_pipeline(config)
    pipeline.metadata_connection_config = metadata.connection_config(store)
    bound = node_runner.bind(Compiler().compile(pipeline), RUN_ID)
    bound.runtime_spec.pipeline_root.field_value.string_value = str(folder)
    ids = node_runner.node_ids(bound)
    local_runner.mark(bound, ids, from_node, to_node)
    listing_handover.keep(listing, listing_handover.node_in(str(folder)), RUN_ID)
    found: dict[str, str] = {}
    for node in bound.nodes:
        found[node.pipeline_node.node_info.id] = _state(
            bound,
            node.pipeline_node,
            lambda other: found.get(other) == WOULD_RUN and other != local_runner.BASELINE,
        )
    reused = runs.read_run(node_runner.connection(bound), RUN_ID).nodes
    return {
        node_id: reused[node_id].state if state == SKIPPED and node_id in reused else state
        for node_id, state in found.items()
    }


def _state(
    bound: pipeline_pb2.Pipeline,
    node: pipeline_pb2.PipelineNode,
    would_run: Callable[[str], bool],
) -> str:
    read = (
        channel.producer_node_query.id
        for each in node.inputs.inputs.values()
        for channel in each.channels
    )
    node_id = node.node_info.id
    if not node_runner.is_skipped(bound, node_id) and any(map(would_run, read)):
        return WOULD_RUN
    # A look at the model that is served makes a copy, which the nodes after it are asked about.
    kind = Launcher if node_id == local_runner.BASELINE else CacheLauncher
    try:
        state = node_runner.run_node(bound, node_id, kind)
        return WOULD_RUN if state == "ran" else state
    except WouldRun:
        return WOULD_RUN
