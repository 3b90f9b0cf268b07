"""Runs the whole pipeline in this process, node after node, by the node runner."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Protocol

from tfx.dsl.compiler.compiler import Compiler
from tfx.orchestration.portable import partial_run_utils
from tfx.proto.orchestration import pipeline_pb2

from components.artifacts.saved_model import serving_dir
from components.errors import ConfigError
from components.files.paths import is_remote
from components.step import memory
from pipeline import node_runner
from pipeline.config import Config
from pipeline.definition import create_pipeline
from pipeline.store import runs
from pipeline.store.outputs import CANDIDATE
from serving import session_trial

BASELINE, _JUDGE = "BaselineResolver", "Evaluator"


class RunFailed(Exception):
    """A node failed; its own exception is the cause."""

    def __init__(self, node_id: str, run: runs.Run):
        super().__init__(f"{node_id} failed")
        self.node_id = node_id
        self.run = run


class Observer(Protocol):
    """Is called as the nodes of a run begin and end."""

    def node_started(self, node_id: str, position: int, total: int) -> None:
        """A node begins; `position` counts from 1."""

    def node_ended(self, node_id: str, state: str, seconds: float) -> None:
        """A node is over: `ran`, `cached`, `failed` or, by Ctrl-C or SIGTERM, `interrupted`."""


def compile_config(config: Config) -> pipeline_pb2.Pipeline:
    """Returns TFX's compiled form of the pipeline."""
    return Compiler().compile(create_pipeline(config))


def run(
    config: Config,
    observer: Observer,
    run_id: str,
    from_node: str | None = None,
    to_node: str | None = None,
) -> runs.Run:
    """Runs the pipeline and returns what each node did.

    Args:
      config: the whole configuration.
      observer: is called as each node begins and ends.
      run_id: an id that no run had.
      from_node: starts here, with the latest run's results of the nodes before it; the served
        model is looked up again.
      to_node: ends here.

    Raises:
      ConfigError: there is no such node.
      RunFailed: a node failed.
    """
    compiled = node_runner.bind(compile_config(config), run_id)
    ids = node_runner.node_ids(compiled)
    mark(compiled, ids, from_node, to_node)
    store = node_runner.connection(compiled)
    wanted = [node_id for node_id in ids if not node_runner.is_skipped(compiled, node_id)]
    with contextlib.ExitStack() as until_the_end:
        for node_id in wanted:
            observer.node_started(node_id, ids.index(node_id) + 1, len(ids))
            began, state = time.monotonic(), "failed"
            try:
                state = node_runner.run_node(compiled, node_id)
            except Exception as error:
                raise RunFailed(node_id, runs.read_run(store, run_id, ids)) from error
            except KeyboardInterrupt:
                state = "interrupted"
                raise
            finally:
                observer.node_ended(node_id, state, time.monotonic() - began)
            if state == "ran":
                memory.give_back()
            if (node_id, state) == ("Trainer", "ran") and "InfraValidator" in wanted:
                # Its process loads the candidate while the Evaluator measures.
                model = _candidate(runs.read_run(store, run_id))
                until_the_end.enter_context(session_trial.started_ahead(model))
    return runs.read_run(store, run_id, ids)


def _candidate(run: runs.Run) -> Path | None:
    """Returns the folder of the SavedModel; None where the InfraValidator reads a copy."""
    folder = serving_dir(run.outputs[CANDIDATE].uri)
    return None if is_remote(folder) else Path(folder)


def mark(
    compiled: pipeline_pb2.Pipeline, ids: list[str], from_node: str | None, to_node: str | None
) -> None:
    """Marks what a partial run leaves out, by TFX's own rules.

    A run that judges a candidate looks again which model is served: the latest run's answer is old.
    """
    for node in (from_node, to_node):
        if node and node not in ids:
            raise ConfigError(
                f"No node {node!r}; the nodes are {', '.join(ids)}. Name one of them."
            )
    if not from_node and not to_node:
        return
    starts = [from_node] if from_node else []
    if from_node and ids.index(from_node) <= ids.index(_JUDGE):
        starts.append(BASELINE)
    partial_run_utils.mark_pipeline(
        compiled, from_nodes=starts or None, to_nodes=[to_node] if to_node else None
    )
