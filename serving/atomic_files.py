"""Copies and renames folders so that a power cut leaves either all of it or nothing."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

INCOMING = ".incoming-"
"""Prefix of the names of unfinished copies; those that a dead writer has left are to be removed."""


def copy_tree(source: Path, target: Path) -> None:
    """Copies a folder; on return all of it is on disk, and `target` is as young as the copy."""
    shutil.copytree(source, target, copy_function=_copy_file)
    os.utime(target)
    for folder, _, _ in os.walk(target):
        _sync(Path(folder))


def rename(source: Path, target: Path) -> None:
    """Renames within one file system; on return the new name is on disk."""
    source.rename(target)
    _sync(target.parent)


def write(path: Path, text: str) -> None:
    """Writes a small file; a reader finds the old text or the new one at any moment."""
    passing = path.with_name(f"{INCOMING}{uuid.uuid4().hex}")
    passing.write_text(text, "utf-8")
    _sync(passing)
    rename(passing, path)


def remove(path: Path) -> None:
    """Removes a folder or file, or as much of it as can be removed now; a missing one is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _copy_file(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    _sync(Path(target))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
