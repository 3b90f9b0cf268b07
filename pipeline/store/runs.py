"""Reads runs out of ML Metadata: the same for every scheduler."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2

from components.artifacts import gate_rows
from components.errors import ConfigError
from components.files.paths import is_remote
from components.step import executions
from pipeline.store import metadata_store
from pipeline.store.outputs import INFRA_BLESSING, PUSHED_MODEL, VERDICT, Output
from serving.names import some

_State = metadata_store_pb2.Execution.State
_STATES = {_State.COMPLETE: "ran", _State.CACHED: "cached"}
LATEST = "latest"
_BY_AGE = (LATEST, "previous")
_SHOWN = 8  # runs, where one is not found


@dataclasses.dataclass(frozen=True)
class Node:
    """One node of a run."""

    state: str  # ran | cached | failed | skipped
    seconds: float


@dataclasses.dataclass
class Run:
    """One run's nodes and outputs."""

    run_id: str
    nodes: dict[str, Node]
    outputs: dict[Output, metadata_store_pb2.Artifact]
    began: datetime.datetime | None = None
    unfinished: bool = False
    """Whether the metadata has a node that runs: it does, or was killed."""
    running: bool = False
    """Whether it does. Where that is not known, an unfinished node counts as failed."""

    @property
    def date(self) -> str | None:
        """When it began, in local time."""
        return f"{self.began.astimezone():%Y-%m-%d %H:%M}" if self.began else None

    def document(self, output: Output, name: str) -> Any:
        """Returns the JSON file `name` of one of the run's outputs; None if there is none."""
        content = self.content(output, name)
        return None if content is None else json.loads(content)

    def content(self, output: Output, name: str) -> bytes | None:
        """Returns the file `name` of one of the run's outputs; None if there is none."""
        artifact = self.outputs.get(output)
        return _content(os.path.join(artifact.uri, name)) if artifact else None

    @property
    def pushed_version(self) -> int | None:
        """The version that this run pushed; None if it pushed none."""
        artifact = self.outputs.get(PUSHED_MODEL)
        if artifact is None or not artifact.custom_properties["pushed"].int_value:
            return None
        if self.nodes["Pusher"].state == "cached":
            return None
        return int(artifact.custom_properties["pushed_version"].string_value)

    @property
    def servable(self) -> bool:
        """Whether InfraValidator found that a server can serve the candidate."""
        return gate_rows.is_servable(self.outputs.get(INFRA_BLESSING))

    @property
    def withdrawn_version(self) -> str:
        """The version that is the candidate and was withdrawn by a rollback; "" for none."""
        return gate_rows.withdrawn_version(self.outputs.get(PUSHED_MODEL))

    @property
    def gate(self) -> list[dict[str, Any]]:
        """The thresholds' rows, and one that says whether a server could serve the candidate."""
        document = self.document(VERDICT, "verdict.json") or {"gate": []}
        release = (self.outputs.get(output) for output in (INFRA_BLESSING, PUSHED_MODEL))
        return gate_rows.all_rows(document["gate"], *release)

    @property
    def verdict(self) -> str | None:
        """`pushed`, `unchanged`, `refused`, `failed`, `running`; None for a run without a push."""
        if self.running:
            return "running"
        if any(node.state == "failed" for node in self.nodes.values()):
            return "failed"
        if self.pushed_version:
            return "pushed"
        gate = self.document(VERDICT, "verdict.json")
        if gate is None or PUSHED_MODEL not in self.outputs:
            return None
        refused = gate["verdict"] == "refused" or not self.servable or self.withdrawn_version
        return "refused" if refused else "unchanged"


def _content(path: str) -> bytes | None:
    """A file's content; None where there is none."""
    if not is_remote(path):
        return Path(path).read_bytes() if Path(path).is_file() else None
    from tfx.dsl.io import fileio  # imports TensorFlow

    from pipeline.store import remote_files

    return remote_files.read(path) if fileio.exists(path) else None


def read_run(connection: Any, run_id: str, node_ids: Iterable[str] = ()) -> Run:
    """Returns a run as the metadata has it.

    Args:
      connection: of the ML Metadata store.
      run_id: which run.
      node_ids: all nodes of its pipeline; those that the metadata does not know were skipped.
    """
    with metadata_store.opened(connection) as store:
        return _read(store, run_id, node_ids)


def _read(store: MetadataStore, run_id: str, node_ids: Iterable[str]) -> Run:
    run = Run(run_id, dict.fromkeys(node_ids, Node("skipped", 0.0)), {})
    context = store.get_context_by_type_and_name(executions.RUN, run_id)
    if context is None:
        return run
    milliseconds = context.create_time_since_epoch
    run.began = datetime.datetime.fromtimestamp(milliseconds / 1000, datetime.timezone.utc)
    for execution in executions.of_run(store, run_id):
        node = executions.node_id(store, execution)
        state = _STATES.get(execution.last_known_state, "failed")
        run.unfinished |= execution.last_known_state == _State.RUNNING
        run.nodes[node] = Node(state, executions.seconds(execution))
        for key, artifact in executions.outputs(store, execution).items():
            run.outputs[node, key] = artifact
    return run


def latest(connection: Any, pipeline_name: str) -> Run | None:
    """Returns the newest run of a pipeline; None if there is none."""
    with metadata_store.opened(connection) as store:
        newest = next(iter(_ids(store, pipeline_name)), None)
        return _read(store, newest, ()) if newest else None


def run_ids(connection: Any, pipeline_name: str | None = None) -> list[str]:
    """Returns the ids of all runs, or of one pipeline's, the newest first."""
    with metadata_store.opened(connection) as store:
        return _ids(store, pipeline_name)


def _ids(store: MetadataStore, pipeline_name: str | None) -> list[str]:
    if pipeline_name is None:
        found = store.get_contexts_by_type(executions.RUN)
    else:
        pipeline = store.get_context_by_type_and_name("pipeline", pipeline_name)
        children = store.get_children_contexts_by_context(pipeline.id) if pipeline else []
        found = [context for context in children if context.type == executions.RUN]
    return [context.name for context in sorted(found, key=lambda context: -context.id)]


def find(connection: Any, name: str, pipeline_name: str | None = None) -> Run:
    """Returns the run with this id, or the only one whose id begins so.

    Args:
      connection: of the ML Metadata store.
      name: an id or its beginning; `latest` is the newest run, `previous` the one before it.
      pipeline_name: looks among the runs of this pipeline alone.

    Raises:
      ConfigError: no run is named so, or several are.
    """
    known = run_ids(connection, pipeline_name)
    if name in _BY_AGE and len(known) > _BY_AGE.index(name):
        return read_run(connection, known[_BY_AGE.index(name)])
    found = [run_id for run_id in known if run_id.startswith(name)]
    if name in found or len(found) == 1:
        return read_run(connection, name if name in found else found[0])
    fault = f"{len(found)} runs begin with" if found else "No run"
    if not known:
        raise ConfigError(
            f"{fault} {name!r}: the metadata store knows no run yet; `transfer-pipeline run` makes "
            "one."
        )
    words = " or ".join(f"`{word}`" for word in _BY_AGE[: len(known)])
    raise ConfigError(f"{fault} {name!r}. Name one of: {some(found or known, _SHOWN)}, or {words}.")
