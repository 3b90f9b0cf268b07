"""The folder of runs: one run at a time, ids, logs, how commands name it. Imports nothing heavy."""

from __future__ import annotations

import datetime
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from components.errors import UserError
from components.settings import metadata

_LOCK = ".lock"
_LOOK = 1  # second, for which `is_held` of another process may hold it


class RootBusy(UserError):
    """Another run uses the root."""


def new_run_id() -> str:
    """Returns an id that sorts by time and is used once."""
    return f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:4]}"


def log_path(root: Path, run_id: str) -> Path:
    """Returns the path of a run's log."""
    return root / "logs" / f"{run_id}.log"


def failed_folder(root: Path, run_id: str) -> Path:
    """Returns the path of a failed run's page."""
    return root / "failed" / run_id


def options_of(root: Path, store: str | None) -> list[str]:
    """Returns the options by which `runs`, `report` and the others find the runs of a root.

    Args:
      root: the folder of runs.
      store: the ML Metadata store, which is named where it is not the root's; `...` stands for a
        password.
    """
    elsewhere = store is not None and store != store_in(root)
    words = ["--metadata", metadata.without_passwords(str(store))] if elsewhere else []
    return ["--root", str(root), *words]


def store_in(root: Path) -> str:
    """Returns the path of a root's own ML Metadata store."""
    return str(root / "metadata.sqlite")


def is_held(root: Path) -> bool:
    """Checks whether a run holds the root now."""
    if not (root / _LOCK).is_file():
        return False
    try:
        with filelock.FileLock(root / _LOCK, blocking=False):
            return False
    except filelock.Timeout:
        return True
    except OSError:  # a root that this user can't write to
        return False


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Holds the root for one run; the operating system frees it if the process dies.

    Raises:
      RootBusy: another process holds it.
    """
    root.mkdir(parents=True, exist_ok=True)
    owner = root / ".lock-owner"
    try:
        with filelock.FileLock(root / _LOCK, timeout=_LOOK):
            now = datetime.datetime.now()
            owner.write_text(f"process {os.getpid()}, since {now:%Y-%m-%d %H:%M:%S}")
            yield
    except filelock.Timeout:
        who = owner.read_text() if owner.is_file() else "another process"
        raise RootBusy(
            f"Another run uses {root} ({who}). Let it finish, or name another folder with --root."
        ) from None
