"""Where a SavedModel is, and what identifies it: its files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from tfx.dsl.io import fileio
from tfx.types import Artifact


def digest(directory: str | Path) -> str:
    """Returns the SHA-256 over names and contents of all files below `directory`."""
    whole = hashlib.sha256()
    for path in sorted(Path(directory).rglob("*")):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            whole.update(f"{path.relative_to(directory).as_posix()}\0{content}\n".encode())
    return whole.hexdigest()


def serving_dir(model: str) -> str:
    """The SavedModel's folder in a Model artifact, in TFX's layout."""
    return os.path.join(model, "Format-Serving")


def served(baseline: Sequence[Artifact]) -> str | None:
    """Returns the folder of the baseline's SavedModel; None where nothing is served yet."""
    folders = [serving_dir(artifact.uri) for artifact in baseline]
    return next((folder for folder in folders if fileio.exists(folder)), None)
