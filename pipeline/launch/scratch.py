"""The folder of a run's temporary files, which the next run removes where this one is killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import filelock

_PREFIX = "transfer-pipeline-run-"


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Yields a new folder, in which `tempfile` and child processes work meanwhile.

    The lock beside it is held as long as the process lives: without its holder it is a leftover.
    """
    parent = Path(tempfile.gettempdir())
    remove_leftovers(parent)
    made = parent / f"{_PREFIX}{uuid.uuid4().hex[:8]}"
    lock = filelock.FileLock(_lock_of(made), blocking=False)
    before = tempfile.tempdir, os.environ.get("TMPDIR")
    with lock:
        made.mkdir(mode=0o700)
        tempfile.tempdir = os.environ["TMPDIR"] = str(made)
        try:
            yield made
        finally:
            tempfile.tempdir = before[0]
            os.environ.pop("TMPDIR")
            if before[1] is not None:
                os.environ["TMPDIR"] = before[1]
            _remove(made)


def remove_leftovers(parent: Path) -> None:
    """Removes the folders that killed runs of this user left in the folder of temporary files."""
    for made in _leftovers(parent):
        _remove(made)


def leftovers(parent: Path) -> list[Path]:
    """Returns the folders that `remove_leftovers` would remove."""
    return [made for made in _leftovers(parent) if made.is_dir()]


def _leftovers(parent: Path) -> Iterator[Path]:
    """Yields each folder while its lock is held here."""
    for lock in sorted(parent.glob(f"{_PREFIX}*.lock")):
        # Another run's lock is held, another user's can't be opened.
        with contextlib.suppress(OSError, filelock.Timeout):
            if lock.is_symlink() or (hasattr(os, "getuid") and lock.stat().st_uid != os.getuid()):
                continue
            with filelock.FileLock(lock, blocking=False):
                yield lock.with_suffix("")


def _lock_of(made: Path) -> Path:
    return made.with_name(f"{made.name}.lock")


def _remove(made: Path) -> None:
    """Removes the folder before its lock: what is left of it by a kill here is found again."""
    shutil.rmtree(made, ignore_errors=True)
    if not made.exists():
        _lock_of(made).unlink(missing_ok=True)
