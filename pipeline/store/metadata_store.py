"""How the ML Metadata store is reached and waited for. Imports ml_metadata when asked to."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from components.errors import UserError
from components.retries import WAITS, retried

_PASSWORDS = {"mysql": "MYSQL_PWD", "postgresql": "PGPASSWORD"}
_SQL = re.compile(r"\s*(?:\bquery:\s*)?\b(?:SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|BEGIN)\b")


class MetadataUnavailable(UserError):
    """The ML Metadata store does not answer."""


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
      MetadataUnavailable: it did not answer in all that time.
    """
    from ml_metadata import errors, metadata_store

    def reached() -> Any:
        store = metadata_store.MetadataStore(config)
        with contextlib.suppress(errors.NotFoundError):
            # A gRPC client connects with its first call.
            store.get_context_type("pipeline_run")
        return store

    silent = (errors.StatusError, RuntimeError)
    try:
        return retried(reached, waits, lambda error: isinstance(error, silent))
    except silent as error:
        raise _unavailable(config, error, sum(waits)) from error


@contextlib.contextmanager
def opened(config: Any) -> Iterator[Any]:
    """Opens the store for a short access, which locks a SQLite file meanwhile.

    Raises:
      MetadataUnavailable: it does not answer.
    """
    with guard(config):
        yield wait_for(config)


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
