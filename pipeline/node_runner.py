"""Runs ONE node of a compiled pipeline, for any scheduler.

What TFX's `LocalDagRunner` does for all nodes in one process, with the same launcher: driver,
cache, resolver, executor and publisher, so that lineage and caching are the same everywhere. A
node that is run twice under one run id finds its first execution and does not publish again.
"""

from __future__ import annotations

from pathlib import Path

from google.protobuf import json_format
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher, partial_run_utils, runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from components.errors import ConfigError


def read_compiled(path: Path) -> pipeline_pb2.Pipeline:
    """Reads a compiled pipeline from the JSON that `write_compiled` wrote.

    Raises:
      ConfigError: the file is missing or holds something else.
    """
    try:
        return json_format.Parse(path.read_text("utf-8"), pipeline_pb2.Pipeline())
    except (OSError, UnicodeDecodeError, json_format.ParseError) as error:
        raise ConfigError(f"{path} is not a compiled pipeline: {error}.") from error


def write_compiled(compiled: pipeline_pb2.Pipeline, path: Path) -> None:
    """Writes a compiled pipeline as JSON."""
    path.write_text(json_format.MessageToJson(compiled, sort_keys=True), "utf-8")


def bind(compiled: pipeline_pb2.Pipeline, run_id: str) -> pipeline_pb2.Pipeline:
    """Gives a copy whose nodes belong to the run with this id."""
    bound = pipeline_pb2.Pipeline()
    bound.CopyFrom(compiled)
    runtime_parameter_utils.substitute_runtime_parameter(
        bound, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    return bound


def node_ids(compiled: pipeline_pb2.Pipeline) -> list[str]:
    """Gives the nodes' ids, every node after those whose outputs it reads."""
    return [node.pipeline_node.node_info.id for node in compiled.nodes]


def connection(compiled: pipeline_pb2.Pipeline) -> metadata_store_pb2.ConnectionConfig:
    """Gives how the pipeline's ML Metadata store is reached."""
    config = runner_utils.extract_local_deployment_config(compiled).metadata_connection_config
    return getattr(config, config.WhichOneof("connection_config"))


def _node(compiled: pipeline_pb2.Pipeline, node_id: str) -> pipeline_pb2.PipelineNode:
    return compiled.nodes[node_ids(compiled).index(node_id)].pipeline_node


def is_skipped(compiled: pipeline_pb2.Pipeline, node_id: str) -> bool:
    """Whether a partial run leaves the node out."""
    return _node(compiled, node_id).execution_options.HasField("skip")


def run_node(bound: pipeline_pb2.Pipeline, node_id: str) -> None:
    """Runs the node with this id, or takes its result from the cache.

    Args:
      bound: a compiled pipeline, bound to a run; marks of a partial run are respected.
      node_id: which node.

    Raises:
      ConfigError: the pipeline has no such node.
      Exception: whatever the node's executor raised; its failure is in the metadata.
    """
    if node_id not in node_ids(bound):
        raise ConfigError(f"No node {node_id!r}; the nodes are {', '.join(node_ids(bound))}.")
    if is_skipped(bound, node_id):
        return
    node = _node(bound, node_id)
    deployment = runner_utils.extract_local_deployment_config(bound)
    store = connection(bound)
    if node.execution_options.run.perform_snapshot:
        with metadata.Metadata(store) as handle:
            partial_run_utils.snapshot(handle, bound)
    launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=metadata.Metadata(store),
        pipeline_info=bound.pipeline_info,
        pipeline_runtime_spec=bound.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, node_id),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
    ).launch()
