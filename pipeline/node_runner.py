"""Runs ONE node of a compiled pipeline, for any scheduler and for the local runner.

What TFX's `LocalDagRunner` does for all nodes in one process, with the same launcher: driver,
cache, resolver, executor and publisher, so that lineage and caching are the same everywhere. A
node that is run twice under one run id finds its first execution and does not publish again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import json_format
from tfx.dsl.compiler import constants
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import partial_run_utils, runtime_parameter_utils
from tfx.proto.orchestration import pipeline_pb2

from components.errors import ConfigError, UserError
from components.files.paths import is_remote
from pipeline import train_worker
from pipeline.launch import environment, local_copies
from pipeline.launch.node_launcher import Handle, Launcher
from pipeline.store import metadata_store, remote_files, runs

_WRITTEN_BY = "`transfer-pipeline compile --target tfx` writes one."


class NodeFailed(UserError):
    """A node could not start."""


def read_compiled(path: str | Path) -> pipeline_pb2.Pipeline:
    """Reads a compiled pipeline from the JSON that `write_compiled` wrote, on any file system.

    Raises:
      ConfigError: the file is missing or holds something else.
    """
    try:
        compiled = json_format.Parse(_text(str(path)), pipeline_pb2.Pipeline())
    except (OSError, UnicodeDecodeError, json_format.ParseError) as error:
        raise ConfigError(f"{path} is not a compiled pipeline: {error}. {_WRITTEN_BY}") from error
    if not compiled.nodes:
        raise ConfigError(f"{path} is not a compiled pipeline: it has no nodes. {_WRITTEN_BY}")
    return compiled


def _text(path: str) -> str:
    if is_remote(path):
        return remote_files.read(path).decode()
    return Path(path).read_text("utf-8")


def write_compiled(compiled: pipeline_pb2.Pipeline, path: str | Path) -> None:
    """Writes a compiled pipeline as JSON, whole or not at all, on any file system."""
    text = json_format.MessageToJson(compiled, sort_keys=True)
    if is_remote(str(path)):
        remote_files.write(str(path), text.encode())
        return
    passing = Path(path).with_name(f".{Path(path).name}.new")
    passing.write_text(text, "utf-8")
    passing.replace(path)


def bind(compiled: pipeline_pb2.Pipeline, run_id: str) -> pipeline_pb2.Pipeline:
    """Returns a copy whose nodes belong to the run with this id."""
    bound = pipeline_pb2.Pipeline()
    bound.CopyFrom(compiled)
    runtime_parameter_utils.substitute_runtime_parameter(
        bound, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    )
    return bound


def node_ids(compiled: pipeline_pb2.Pipeline) -> list[str]:
    """Returns the nodes' ids, every node after those whose outputs it reads."""
    return [node.pipeline_node.node_info.id for node in compiled.nodes]


def connection(compiled: pipeline_pb2.Pipeline) -> Any:
    """Returns the connection of the pipeline's ML Metadata store, with its password."""
    config = runner_utils.extract_local_deployment_config(compiled).metadata_connection_config
    return metadata_store.with_password(getattr(config, config.WhichOneof("connection_config")))


def _node(compiled: pipeline_pb2.Pipeline, node_id: str) -> pipeline_pb2.PipelineNode:
    return compiled.nodes[node_ids(compiled).index(node_id)].pipeline_node


def is_skipped(compiled: pipeline_pb2.Pipeline, node_id: str) -> bool:
    """Checks whether a partial run leaves the node out."""
    return _node(compiled, node_id).execution_options.HasField("skip")


def run_node(bound: pipeline_pb2.Pipeline, node_id: str, kind: type[Launcher] = Launcher) -> str:
    """Runs the node with this id, or takes its result from the cache.

    Args:
      bound: a compiled pipeline, bound to a run; marks of a partial run are respected.
      node_id: which node.
      kind: of launcher, which decides what running is.

    Returns:
      Its state: `ran` (now or in an earlier attempt of the run), `cached` or `skipped`;
      `helped` where this process is a worker of another one's Trainer.

    Raises:
      ConfigError: the pipeline has no such node, or TF_CONFIG is needed and wrong.
      NodeFailed: the nodes that it depends on have not run.
      FileSystemUnavailable: the root does not answer, or an input is gone.
      MetadataUnavailable: the store does not answer.
      Exception: the error of the node's executor; its failure is in the metadata.
    """
    if node_id not in node_ids(bound):
        known = ", ".join(node_ids(bound))
        raise ConfigError(f"No node {node_id!r}; the nodes are {known}. Name one of them.")
    if is_skipped(bound, node_id):
        return "skipped"
    node = _node(bound, node_id)
    if train_worker.is_helper(bound, node):
        return train_worker.help_out(bound, node_id, lambda: _state(bound, node))
    store, root = connection(bound), bound.runtime_spec.pipeline_root.field_value.string_value
    remote_files.make_folder(root)
    deployment = runner_utils.extract_local_deployment_config(bound)
    if node.execution_options.run.perform_snapshot:
        with Handle(store) as handle:
            partial_run_utils.snapshot(handle, bound)
    with local_copies.mirrored(root) as mirror:
        with environment.heavy_imports():  # executor and driver
            launcher = kind(
                mirror,
                pipeline_node=node,
                mlmd_connection=Handle(store),
                pipeline_info=bound.pipeline_info,
                pipeline_runtime_spec=bound.runtime_spec,
                executor_spec=runner_utils.extract_executor_spec(deployment, node_id),
                custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, node_id),
            )
        launcher.launch()
    return _ended(bound, node)


def _ended(bound: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> str:
    """Returns the state of a launched node: the launcher is silent about missing inputs."""
    state = _state(bound, node)
    if state is None or state == "failed":
        run_id = bound.runtime_spec.pipeline_run_id.field_value.string_value
        before = ", ".join(node.upstream_nodes) or "none"
        raise NodeFailed(
            f"{node.node_info.id} could not start: what it reads is not there under the run id "
            f"{run_id!r}. Run the nodes before it first: {before}."
        )
    return state


def _state(bound: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode) -> str | None:
    """Returns the node's state in the metadata; None where it has none."""
    run_id = bound.runtime_spec.pipeline_run_id.field_value.string_value
    known = runs.read_run(connection(bound), run_id).nodes.get(node.node_info.id)
    return known.state if known else None
