"""Outputs that an earlier metadata store has left in the root: a new store numbers from one again.

They are never overwritten, and what a step builds on is found among them: a set that is cut anew
would put pictures into `test` that the served model was trained on.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from pathlib import Path

from ml_metadata.metadata_store import MetadataStore

from components import files
from components.files.object_stores import reaches
from components.files.paths import is_remote
from serving import atomic_files

_ENDING = ".earlier"


def asides(store: MetadataStore, outputs: Iterable[str]) -> dict[str, str]:
    """Returns the outputs that are older than the execution that is about to fill them.

    Args:
      store: the opened metadata.
      outputs: folders, each named by the execution's number, as TFX names them.

    Returns:
      by each path, the one to which it is to be renamed. In an object store folders have no times.
    """
    found = {}
    for folder in (Path(uri) for uri in outputs if not is_remote(uri) and os.path.isdir(uri)):
        [execution] = store.get_executions_by_id([int(folder.name)])
        if folder.stat().st_mtime * 1000 < execution.create_time_since_epoch:
            found[str(folder)] = str(atomic_files.aside(folder, _ENDING))
    return found


def newest_first(folder: str, file: str) -> list[str]:
    """Returns the folders of the whole outputs in a folder of them.

    Args:
      folder: of all outputs of one key of a node.
      file: that an output has when it is whole. One that somebody has changed is none.
    """
    if not reaches(folder):
        return []
    place = files.view(folder)
    if not place.is_folder(folder):
        return []
    found = {
        posixpath.dirname(each.path): each.modified
        for each in place.tree(folder).files
        if posixpath.basename(each.path) == file and isinstance(each.modified, int)
    }
    whole = [output for output in found if ".changed-" not in posixpath.basename(output)]
    return sorted(whole, key=found.__getitem__, reverse=True)
