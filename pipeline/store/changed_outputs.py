"""Finds what earlier runs left and somebody deleted or changed since, and puts it aside.

The cache looks at folders, not at files: a step would go on with half a folder, or with changed
bytes. What is put aside is made anew by its step.
"""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Any

from ml_metadata.proto.metadata_store_pb2 import Artifact

from components.artifacts import file_facts
from components.errors import UserError
from pipeline.store import metadata_store


class OutputChanged(UserError):
    """A file of an earlier step is gone, or holds something else than the step wrote."""


@dataclasses.dataclass(frozen=True)
class Changed:
    """An output of a step that is not as the step left it."""

    folder: Path
    what: str
    """The file, and what happened to it."""

    @property
    def node(self) -> str:
        """The id of the node whose output it is."""
        return self.folder.parent.parent.name


def find(connection: Any, pipeline_name: str, root: str) -> list[Changed]:
    """Returns the outputs in a pipeline's root that are not as they were written.

    An output whose whole folder is gone is not among them: the cache sees that by itself.
    """
    with metadata_store.opened(connection) as store:
        pipeline = store.get_context_by_type_and_name("pipeline", pipeline_name)
        found = store.get_artifacts_by_context(pipeline.id) if pipeline else []
    changes = {}
    for artifact in found:
        folder = Path(artifact.uri)
        here = folder.is_relative_to(root) and folder.is_dir()
        if here and artifact.state == Artifact.LIVE and (what := change(artifact)):
            changes[folder] = what
    return [Changed(folder, what) for folder, what in changes.items()]


def change(artifact: Any) -> str | None:
    """Returns which file of a local artifact (ml_metadata's) is not as it was; None for none."""
    note = artifact.custom_properties[file_facts.FILES].string_value
    return file_facts.change(artifact.uri, note)


def put_aside(changed: Changed) -> str:
    """Renames the output's folder, so that its step runs again; returns what to tell of it."""
    names = (f"{changed.folder.name}.changed-{number}" for number in itertools.count(1))
    asides = (changed.folder.with_name(name) for name in names)
    aside = next(path for path in asides if not path.exists())
    changed.folder.rename(aside)
    return f"{changed.what}: {changed.node} makes it anew; what was there is kept in {aside}."


def check_input(artifact: Any) -> None:
    """Checks that a local input (ml_metadata's artifact) is as its step wrote it.

    Raises:
      OutputChanged: a file of it is not.
    """
    if what := change(artifact):
        raise OutputChanged(
            f"{what}. A step reads only what the step before it wrote. Put the file back as it "
            f"was, or delete the folder {artifact.uri} and run again without --from: then it is "
            "made anew."
        )
