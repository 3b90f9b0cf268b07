"""How the ML Metadata store is reached and waited for. Imports ml_metadata when asked to."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from components.errors import UserError
from components.files import space
from components.files.paths import is_remote
from components.retries import WAITS, retried
from pipeline.store import sqlite_file

_PASSWORDS = {"mysql": "MYSQL_PWD", "postgresql": "PGPASSWORD"}
_SQL = re.compile(
    r"\s*\bquery:\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|PRAGMA|BEGIN|COMMIT|ROLLBACK)\b"
)

_NEWER = re.compile(r"database version (\d+) is greater than library version (\d+)")
"""ML Metadata's words."""
_NOT_WRITTEN = "disk I/O error"
"""SQLite's words for all but a full disk: a quota, a limit on the size of files, a broken disk."""


class MetadataUnavailable(UserError):
    """The ML Metadata store does not answer."""


class MetadataNewer(UserError):
    """The SQLite file of the ML Metadata store was written by a newer version of it."""


class MetadataDamaged(UserError):
    """The SQLite file of the ML Metadata store can't be read as one."""


def address(config: Any) -> str:
    """Returns the address of a store, without the password."""
    scheme = kind(config)
    if scheme == "sqlite":
        return str(config.sqlite.filename_uri)
    server = config if scheme == "grpc" else getattr(config, scheme)
    name = {"mysql": "database", "postgresql": "dbname"}.get(scheme)
    return f"{scheme}://{server.host}:{server.port}" + (f"/{getattr(server, name)}" if name else "")


def with_password(config: Any) -> Any:
    """Returns a copy that has the password of the environment, where it has none of its own."""
    scheme = kind(config)
    copy = type(config)()
    copy.CopyFrom(config)
    if scheme in _PASSWORDS and not getattr(copy, scheme).password:
        getattr(copy, scheme).password = os.environ.get(_PASSWORDS[scheme], "")
    return copy


def wait_for(config: Any, waits: tuple[float, ...] = WAITS) -> Any:
    """Returns the opened store (ml_metadata's MetadataStore); waits for a server that starts.

    Args:
      config: as components/settings/metadata.py makes it, with its password.
      waits: seconds before each further attempt.

    Raises:
      MetadataDamaged: its SQLite file is none, or is damaged.
      DiskFull: its SQLite file can't grow.
      MetadataUnavailable: it did not answer in all that time.
    """
    from ml_metadata import errors, metadata_store

    def reached() -> Any:
        _expect_unlocked(address(config))
        store = metadata_store.MetadataStore(config)
        with contextlib.suppress(errors.NotFoundError):
            # A gRPC client connects with its first call.
            store.get_context_type("pipeline_run")
        return store

    def passing(error: Exception) -> bool:
        if not isinstance(error, silent):
            return False
        explain(error, config)
        return True

    silent = (errors.StatusError, RuntimeError)
    try:
        return retried(reached, waits, passing)
    except silent as error:
        explain(error, config)
        raise _unavailable(config, error, sum(waits)) from error


@contextlib.contextmanager
def opened(config: Any) -> Iterator[Any]:
    """Opens the store for a short access, which locks a SQLite file meanwhile.

    Raises:
      MetadataDamaged: its SQLite file is damaged.
      DiskFull: its SQLite file can't grow.
      MetadataUnavailable: it does not answer.
    """
    from ml_metadata import errors

    with guard(config):
        store = wait_for(config)
        try:
            yield store
        except errors.StatusError as error:
            explain(error, config)
            raise


def explain(error: BaseException, config: Any) -> None:
    """Raises what is wrong with the SQLite file of a store, where that is behind its error.

    Args:
      error: of ML Metadata.
      config: the store's.

    Raises:
      MetadataDamaged: the file is damaged.
      MetadataNewer: a newer version of ML Metadata wrote it.
      DiskFull: it can't grow.
    """
    check_whole(address(config))
    if versions := _NEWER.search(str(error)):
        move = _moved(address(config), ".newer")
        raise MetadataNewer(
            f"The ML Metadata store {address(config)} was written by a newer ML Metadata: it has "
            f"the schema {versions[1]}, and the one that is installed reads up to {versions[2]}. "
            "Nothing was changed. Run the command where that newer version is installed, or start "
            f"a new store, which costs one run without the cache: `{move}`."
        ) from error
    if _NOT_WRITTEN in str(error):
        space.check_growth("runtime.metadata", address(config))


def check_whole(file: str) -> None:
    """Checks the SQLite file of a store from end to end.

    Raises:
      MetadataDamaged: it is damaged.
    """
    if reason := sqlite_file.damage(file):
        raise MetadataDamaged(
            f"The ML Metadata store {file} is damaged: {reason}. It holds the list of runs and "
            "what the cache knows, no models: the push directory and its versions are whole. Put "
            "a copy of the file back, or start a new store, which costs one run without the "
            f"cache: `{_moved(file)}`, then the same command."
        )


def _moved(file: str, ending: str = ".damaged") -> str:
    return shlex.join(["mv", file, f"{file}{ending}"])


def copy_of(file: str, target: str) -> None:
    """Copies a SQLite file as it is at one moment, without changing it.

    Nothing is made where there is none.
    """
    if not os.path.isfile(file):
        return
    location = f"{Path(file).absolute().as_uri()}?mode=ro"
    with (
        contextlib.closing(sqlite3.connect(location, uri=True)) as source,
        contextlib.closing(sqlite3.connect(target)) as made,
    ):
        source.backup(made)


def _expect_unlocked(file: str) -> None:
    """Checks that SQLite lets this process write: ML Metadata would try that for 22 s itself.

    Raises:
      RuntimeError: another process holds a lock.
    """
    if is_remote(file) or not os.path.isfile(file):
        return
    location = f"{Path(file).absolute().as_uri()}?mode=rw"
    try:
        with contextlib.closing(sqlite3.connect(location, uri=True, timeout=1)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
    except sqlite3.DatabaseError as error:  # other faults are told by ML Metadata
        if "locked" in str(error):
            raise RuntimeError(
                f"another process holds a lock on it (`fuser -v {shlex.quote(file)}` shows which)"
            ) from error


def guard(config: Any) -> contextlib.AbstractContextManager[Any]:
    """Returns the lock that keeps other processes from a SQLite file; servers need none.

    SQLite refuses a write that meets another one, and ML Metadata passes the refusal on.
    """
    if kind(config) != "sqlite":
        return contextlib.nullcontext()
    file = Path(config.sqlite.filename_uri)
    file.parent.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(f"{file}.lock")


def kind(config: Any) -> str:
    """Returns `sqlite`, `mysql`, `postgresql` or `grpc`."""
    if config.DESCRIPTOR.name == "MetadataStoreClientConfig":
        return "grpc"
    return str(config.WhichOneof("config"))


def without_sql(text: str) -> str:
    """Returns an error's text up to the SQL statement that it quotes, if it quotes one."""
    return _SQL.split(text, maxsplit=1)[0].strip()


def _unavailable(config: Any, error: Exception, seconds: float) -> MetadataUnavailable:
    reason = (without_sql(str(error)).splitlines() or [type(error).__name__])[0]
    return MetadataUnavailable(
        f"The ML Metadata store {address(config)} does not answer after {seconds:.0f} s of "
        f"attempts: {reason}. Nothing was lost: once it answers, the same command goes on."
    )
