"""Finds the earlier output of a step that its next execution builds on."""

from __future__ import annotations

import operator
from collections.abc import Callable

from ml_metadata.metadata_store import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.io import fileio
from tfx.orchestration.metadata import Metadata
from tfx.types import Artifact

QUESTION, PREVIOUS = "question", "previous"
"""Execution properties, kept with the output: what was asked (a digest), and the folder of the
earlier output that it built on, empty if there was none."""

_LIVE = metadata_store_pb2.Artifact.LIVE


def facts(
    metadata: Metadata | None,
    pipeline_name: str,
    kind: type[Artifact],
    question: str,
    agrees: Callable[[str, str], bool] = operator.eq,
    left: Callable[[], str] = str,
) -> dict[str, str]:
    """Returns the execution properties of a step that builds on its last output of this type.

    A repeated run with nothing changed builds on what its predecessor built on, so that the cache
    has it. Without metadata nothing is remembered.

    Args:
      metadata: the store.
      pipeline_name: of the outputs.
      kind: of the outputs.
      question: a digest of what is asked of the step.
      agrees: whether the output in one folder, which answered the same question, still holds beside
        the last one, in another; by default it must be the last one.
      left: returns the folder of the last output where the store knows none: it may be a new one.
    """
    kept = []
    if metadata is not None:
        with metadata as handle:
            kept = _kept(handle.store, pipeline_name, kind)
    previous = kept[-1].uri if kept else left()
    for output in reversed(kept):
        same = output.custom_properties[QUESTION].string_value == question
        if same and agrees(output.uri, kept[-1].uri):
            previous = output.custom_properties[PREVIOUS].string_value
            break
    return {QUESTION: question, PREVIOUS: previous}


def _kept(
    store: MetadataStore, pipeline_name: str, kind: type[Artifact]
) -> list[metadata_store_pb2.Artifact]:
    """Returns the outputs that there still are, the oldest first."""
    pipeline = store.get_context_by_type_and_name("pipeline", pipeline_name)
    found = store.get_artifacts_by_context(pipeline.id) if pipeline else []
    kept = [
        each
        for each in found
        if each.type == kind.TYPE_NAME and each.state == _LIVE and fileio.exists(each.uri)
    ]
    return sorted(kept, key=lambda artifact: artifact.id)
