"""Copies on this machine of files that lie elsewhere, for what knows local paths only."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator

from tfx.dsl.io import fileio

from components.files.paths import is_remote

_CHUNK = 16 * 1024 * 1024  # bytes in memory while a file is copied


def copy_here(source: str, target: str) -> None:
    """Copies a file from any file system that TFX reaches; no thread sees half of the copy."""
    aside = f"{target}.{uuid.uuid4().hex}"
    with fileio.open(source, "rb") as read, open(aside, "wb") as written:
        shutil.copyfileobj(read, written, _CHUNK)
    os.replace(aside, target)


@contextlib.contextmanager
def on_this_machine(path: str) -> Iterator[str]:
    """Yields a local path of a file: its own, or that of a copy, which is removed at the end."""
    if not is_remote(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="transfer-pipeline-") as folder:
        copy = os.path.join(folder, os.path.basename(path))
        copy_here(path, copy)
        yield copy
