"""Finds the artifacts of a root that no later run, version or command needs.

What stays: all of the newest run, of the newest that was judged, of the newest that pushed, of each
whose version the push directory still holds, the newest output of each node, and all that these
were made of. Records stay in any case: reports, verdicts, predictions and ingest reports, which
`runs`, `compare` and `doubts` read, and which later ingests take their splits from.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from ml_metadata.proto.metadata_store_pb2 import Artifact, Event, Execution

from components.step import executions
from serving import versions

_REMOVABLE = frozenset(
    ("Bottlenecks", "Examples", "ExampleStatistics", "LiteModel", "Model", "ModelEvaluation")
    + ("TransformGraph",)
)
"""By type, what is large and can be made again."""

REMOVED = ".removed"
"""The suffix of a folder that is being removed: no run takes it for an artifact."""

_DEPTH = 4  # TFX: ROOT/PIPELINE/NODE/KEY/EXECUTION


def find(store: MetadataStore, root: Path) -> list[Path]:
    """Returns the folders of artifacts in the root that nothing needs, sorted.

    Args:
      store: of the root.
      root: the folder of runs.
    """
    known = _Known(store)
    needed = {str(Path(known.artifacts[number].uri).absolute()) for number in known.needed()}
    found = set()
    for artifact in known.artifacts.values():
        if artifact.type not in _REMOVABLE or artifact.state != Artifact.LIVE:
            continue
        folder = Path(artifact.uri).absolute()
        half = folder.with_name(f"{folder.name}{REMOVED}")
        found |= {path for path in (folder, half) if _lies_in(path, root)}
    return sorted(path for path in found if str(path) not in needed)


def _lies_in(folder: Path, root: Path) -> bool:
    """Checks whether a folder is there, lies where TFX puts artifacts, and no link leads out."""
    if not folder.is_relative_to(root.absolute()) or ".." in folder.parts or not folder.is_dir():
        return False
    below = folder.relative_to(root.absolute())
    return len(below.parts) == _DEPTH and folder.resolve() == root.resolve() / below


class _Known:
    """All that the metadata know, by number."""

    def __init__(self, store: MetadataStore):
        self._store = store
        self.artifacts = {artifact.id: artifact for artifact in store.get_artifacts()}
        self._executions = {execution.id: execution for execution in store.get_executions()}
        self._of_execution: dict[int, set[int]] = collections.defaultdict(set)
        self._makers: dict[int, set[int]] = collections.defaultdict(set)
        for event in store.get_events_by_execution_ids(list(self._executions)):
            self._of_execution[event.execution_id].add(event.artifact_id)
            if event.type == Event.OUTPUT:
                self._makers[event.artifact_id].add(event.execution_id)

    def needed(self) -> set[int]:
        """Returns the numbers of the artifacts that stay."""
        runs = self._store.get_contexts_by_type(executions.RUN)
        newest_first = sorted(runs, key=lambda context: -context.id)
        waiting = {number for run in newest_first for number in self._unfinished(run)}
        seen: dict[str, set[str]] = collections.defaultdict(set)  # pipelines, by kind of run
        for run in newest_first:
            members = {each.id for each in self._store.get_executions_by_context(run.id)}
            made = {number for member in members for number in self._of_execution[member]}
            pushes = [self.artifacts[each] for each in made if _is_push(self.artifacts[each])]
            judged = any(self.artifacts[each].type == "GateVerdict" for each in made)
            pipelines = {self._pipeline(member) for member in members}
            kinds = ["any", *(["judged"] if judged else []), *(["pushed"] if pushes else [])]
            if any(pipelines - seen[kind] for kind in kinds) or any(map(_held, pushes)):
                waiting |= made
            for kind in kinds:
                seen[kind] |= pipelines
        return self._with_sources(waiting | set(self._newest_outputs()))

    def _unfinished(self, run: metadata_store_pb2.Context) -> Iterator[int]:
        """Yields what the executions use that are under way, or were when they were killed."""
        for execution in self._store.get_executions_by_context(run.id):
            if execution.last_known_state in (Execution.NEW, Execution.RUNNING):
                yield from self._of_execution[execution.id]

    def _pipeline(self, execution: int) -> str:
        contexts = self._store.get_contexts_by_execution(execution)
        names = [each.name for each in contexts if each.type == "node"]
        return names[0].rpartition(".")[0] if names else ""

    def _newest_outputs(self) -> Iterator[int]:
        """Yields the newest artifact that is there of each node's each output."""
        newest: dict[Path, int] = {}
        for number, artifact in sorted(self.artifacts.items()):
            folder = Path(artifact.uri)
            if artifact.state == Artifact.LIVE and folder.is_dir():
                newest[folder.parent] = number
        yield from newest.values()

    def _with_sources(self, numbers: set[int]) -> set[int]:
        """Adds what these artifacts were made of, and what was made together with them."""
        by_uri = {artifact.uri: number for number, artifact in self.artifacts.items()}
        found: set[int] = set()
        waiting = set(numbers)
        while waiting:
            number = waiting.pop()
            found.add(number)
            beside = {each for maker in self._makers[number] for each in self._of_execution[maker]}
            waiting |= beside - found
        # What an ingest builds on is a record: the pictures made together with it are not read.
        named = {uri for number in found for uri in _values(self.artifacts[number])}
        return found | {by_uri[uri] for uri in named if uri in by_uri}


def _values(artifact: Any) -> list[str]:
    """Returns the texts of an artifact's properties, among them the folder that it builds on."""
    return [value.string_value for value in artifact.custom_properties.values()]


def _is_push(artifact: Any) -> bool:
    return artifact.type == "PushedModel" and bool(artifact.custom_properties["pushed"].int_value)


def _held(pushed: Any) -> bool:
    """Checks whether the push directory holds the version, or may: where it can't be seen."""
    place = Path(pushed.custom_properties["pushed_destination"].string_value)
    if not place.name.isdigit() or not place.parent.is_dir():
        return True
    return int(place.name) in {each.number for each in versions.published(place.parent)}


def trained(store: MetadataStore, root: Path) -> dict[Path, float]:
    """Returns when the newest training of each pipeline ended well, by the Trainer's folder.

    The times are in seconds since the epoch.
    """
    ended: dict[Path, float] = {}
    for context in store.get_contexts_by_type("node"):
        pipeline, _, node = context.name.rpartition(".")
        if node != "Trainer":
            continue
        found = store.get_executions_by_context(context.id)
        times = [
            execution.last_update_time_since_epoch / 1000
            for execution in found
            if execution.last_known_state == Execution.COMPLETE
        ]
        if times:
            ended[root / pipeline / node] = max(times)
    return ended
