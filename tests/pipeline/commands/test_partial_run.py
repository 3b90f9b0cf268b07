from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2 as mlpb

from components.errors import ConfigError
from components.settings import metadata
from pipeline import config
from pipeline.commands.partial_run import check_nodes
from pipeline.nodes import node_ids
from tests.explains import refused

NOTHING = {
    "found": "--from Trainer: nothing has run in .*runs so far",
    "allowed": "the nodes before it .* have no results",
    "next": "Run once without --from",
}


def build(folder: Path) -> config.Config:
    tree = {
        "data": {"source": str(folder / "pictures")},
        "push": {"directory": str(folder / "served")},
        "runtime": {"root": str(folder / "runs")},
    }
    return config.build(tree)


def publish(
    connection: Any, pipeline: str, run_id: str, nodes: list[str], failed: str | None = None
) -> None:
    """Writes a run as TFX's launcher does: executions in the contexts of pipeline, run and node."""
    store = MetadataStore(connection)
    of_type = {
        name: store.put_context_type(mlpb.ContextType(name=name))
        for name in ("pipeline", "pipeline_run", "node")
    }
    for node in nodes:
        kind = store.put_execution_type(mlpb.ExecutionType(name=node))
        state = mlpb.Execution.FAILED if node == failed else mlpb.Execution.COMPLETE
        names = {"pipeline": pipeline, "pipeline_run": run_id, "node": f"{pipeline}.{node}"}
        contexts = [mlpb.Context(type_id=of_type[key], name=name) for key, name in names.items()]
        execution = mlpb.Execution(type_id=kind, last_known_state=state)
        _, _, ids = store.put_execution(
            execution, [], contexts, reuse_context_if_already_exist=True
        )
    store.put_parent_contexts([mlpb.ParentContext(parent_id=ids[0], child_id=ids[1])])


@pytest.mark.parametrize("option", ["from_node", "to_node"])
def test_an_unknown_node_is_refused_with_those_there_are(tmp_path: Path, option: str) -> None:
    words = {"from_node": None, "to_node": None, option: "Traner"}
    with refused(
        ConfigError,
        found="no node 'Traner'",
        allowed="The nodes are .*Evaluator",
        next="Did you mean Trainer",
    ):
        check_nodes(build(tmp_path), **words)


def test_a_last_node_before_the_first_one_is_refused(tmp_path: Path) -> None:
    with refused(
        ConfigError,
        found="Transform comes before Trainer, so nothing would run",
        allowed="After --from may come .*Transform",
        next="or after --to Trainer",
    ):
        check_nodes(build(tmp_path), "Trainer", "Transform")
    with refused(ConfigError, **NOTHING):
        check_nodes(build(tmp_path), "Trainer", "Trainer")


def test_a_run_from_a_node_needs_results_of_those_before_it(tmp_path: Path) -> None:
    made = build(tmp_path)
    check_nodes(made, None, "Trainer")
    with refused(ConfigError, **NOTHING):
        check_nodes(made, "Trainer", None)


def test_a_run_from_a_node_needs_results_of_the_latest_run(tmp_path: Path) -> None:
    made = build(tmp_path)
    made.root.mkdir(parents=True)
    connection = metadata.connection_config(made.metadata)
    publish(connection, made.pipeline_name, "run-1", node_ids(made))
    check_nodes(made, "Trainer", None)
    publish(connection, made.pipeline_name, "run-2", node_ids(made)[:5], failed="DataValidator")
    check_nodes(made, "ExampleValidator", None)
    lacking = {
        "found": "run-2, has no results of DataValidator, Transform, Bott",
        "allowed": "which come before",
        "next": "Run with --from DataValidator, or without",
    }
    with refused(ConfigError, **lacking):
        check_nodes(made, "Trainer", None)
    publish(connection, "another", "run-3", node_ids(made))
    with refused(ConfigError, **lacking):
        check_nodes(made, "Trainer", None)
