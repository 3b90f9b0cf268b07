"""Changes of a push directory are made by one process at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from serving import atomic_files, version_facts
from serving.labels import VersionError
from serving.version_facts import Facts
from serving.version_names import folders
from serving.versions import no_directory

PASSING = (atomic_files.INCOMING, ".removing-")
"""How the names of folders begin that are copied in, and of those on their way out."""

_LOCK, _LABELS_LOCK = ".lock", ".labels.lock"
_LOCK_SECONDS = 300


class Busy(VersionError):
    """Another process has been changing the directory for too long to wait for its end."""


@contextmanager
def locked(model_dir: Path) -> Iterator[None]:
    """Locks for one writer at a time, and first clears away what a dead one has left.

    Raises:
        Busy: another process holds the lock for long.
        VersionError: no such directory, or what is there can't be locked.
    """
    with _held(model_dir, _LOCK, "push, rollback or pruning"):
        for path in model_dir.iterdir():
            if path.name.startswith(PASSING):
                atomic_files.remove(path)
        yield


@contextmanager
def labels_locked(model_dir: Path) -> Iterator[None]:
    """Locks the labels, from before they are read until what follows from them is written.

    Pushes do not wait for it, since servers may take minutes to load what is to get a label. A
    folder without versions has nothing to lock, and gets no file.

    Raises:
        VersionError: as `locked`.
    """
    if not model_dir.is_dir():
        raise no_directory(model_dir)
    if not any(folders(model_dir)):
        yield
        return
    with _held(model_dir, _LABELS_LOCK, "`canary`, `rollback` or pruning"):
        yield


@contextmanager
def _held(model_dir: Path, name: str, what: str) -> Iterator[None]:
    if not model_dir.is_dir():
        raise no_directory(model_dir)
    _check_lock(model_dir / name)
    try:
        with filelock.FileLock(model_dir / name, timeout=_LOCK_SECONDS):
            yield
    except filelock.Timeout:
        raise Busy(
            f"Another {what} has held {model_dir / name} for {_LOCK_SECONDS} s: let it finish,"
            " then try again."
        ) from None


def _check_lock(path: Path) -> None:
    """Refuses what is in place of the lock's file.

    Raises:
        VersionError: something is.
    """
    if os.path.lexists(path) and not path.is_file():
        raise VersionError(
            f"{path} is no file, and a file there is what pushes and rollbacks lock. Move it away,"
            " then run the command again."
        )


def current_facts(model_dir: Path) -> Facts:
    """The facts of the versions that are there, those of numbers included that were pruned."""
    known, numbers = version_facts.read(model_dir), {number for number, *_ in folders(model_dir)}
    makers = {number: maker for number, maker in known.makers.items() if number in numbers}
    return Facts(max([known.greatest, *numbers]), makers, known.withdrawn & numbers)
