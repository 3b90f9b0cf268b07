"""The folder in which a training keeps its state, so that it resumes after it was killed.

TFX deletes the outputs of a component that fails, and every launch has a new working folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from typing import Any

import filelock
from tfx.dsl.io import fileio
from tfx.types import Artifact

from components.files.paths import is_remote
from components.trainer import unfinished

_KEPT = 3  # of the newest, of trainings that were not resumed


def for_training(
    state: str | None,
    output: str,
    input_dict: dict[str, list[Artifact]],
    exec_properties: dict[str, Any],
) -> str:
    """Makes and returns the folder named by a training's inputs and configuration.

    Args:
      state: TFX's stateful working folder, in whose node's folder it lies: in the root, also where
        the artifacts are copies on this machine. None where the runner has none.
      output: URI of an output.
      input_dict: the inputs; their places in the root count, and when they were made: in another
        metadata store numbers begin anew, and so do places.
      exec_properties: among them the settings, the code's version and the weights' digest.
    """
    node = os.path.dirname(os.path.dirname(output))
    root = os.path.dirname(node)
    places = {
        key: [
            [_place(each.uri, root), each.mlmd_artifact.create_time_since_epoch]
            for each in input_dict[key]
        ]
        for key in sorted(input_dict)
    }
    facts = json.dumps([places, exec_properties], sort_keys=True, default=str)
    # TFX: NODE/.system/stateful_working_dir/INDEX
    parent = os.path.join((state or node).partition("/.system/")[0], unfinished.NAME)
    folder = os.path.join(parent, hashlib.sha256(facts.encode()).hexdigest()[:16])
    fileio.makedirs(folder)
    _forget_old(parent, folder)
    return folder


def _place(uri: str, root: str) -> str:
    """Returns NODE/KEY/EXECUTION of what lies in the root, also where the root is no folder."""
    if is_remote(uri):
        return "/".join(uri.rstrip("/").split("/")[-3:])
    return os.path.relpath(uri, root)


@contextlib.contextmanager
def alone(folder: str) -> Iterator[str]:
    """Locks and yields the folder, or another one where the same training runs in another run."""
    if is_remote(folder):  # no locks there
        yield folder
        return
    try:
        held = _lock(folder).acquire()
    except filelock.Timeout:
        folder = f"{folder}-{uuid.uuid4().hex[:8]}"
        held = _lock(folder).acquire()
        fileio.makedirs(folder)
    with held:
        yield folder


def _forget_old(parent: str, current: str) -> None:
    others = [os.path.join(parent, name) for name in fileio.listdir(parent)]
    others = [folder for folder in others if folder != current and os.path.isdir(folder)]
    for folder in sorted(others, key=os.path.getmtime, reverse=True)[_KEPT:]:
        with contextlib.suppress(filelock.Timeout), _lock(folder):  # others may be at work
            shutil.rmtree(folder, ignore_errors=True)  # or another run has removed it


def _lock(folder: str) -> filelock.FileLock:
    return filelock.FileLock(f"{folder}.lock", blocking=False)
