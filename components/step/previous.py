"""What a step remembers: which of its earlier outputs the next execution builds on."""

from __future__ import annotations

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
    metadata: Metadata | None, pipeline_name: str, kind: type[Artifact], question: str
) -> dict[str, str]:
    """Returns the execution properties of a step that builds on its last output of this type.

    A repeated run with nothing changed builds on what its predecessor built on, so that the cache
    has it. Without metadata nothing is remembered.
    """
    last = None
    if metadata is not None:
        with metadata as handle:
            last = _last(handle.store, pipeline_name, kind)
    if last is None:
        previous = ""
    elif last.custom_properties[QUESTION].string_value == question:
        previous = last.custom_properties[PREVIOUS].string_value
    else:
        previous = last.uri
    return {QUESTION: question, PREVIOUS: previous}


def _last(
    store: MetadataStore, pipeline_name: str, kind: type[Artifact]
) -> metadata_store_pb2.Artifact | None:
    pipeline = store.get_context_by_type_and_name("pipeline", pipeline_name)
    if pipeline is None:
        return None
    found = store.get_artifacts_by_context(pipeline.id)
    kept = [
        each
        for each in found
        if each.type == kind.TYPE_NAME and each.state == _LIVE and fileio.exists(each.uri)
    ]
    return max(kept, key=lambda artifact: artifact.id, default=None)
