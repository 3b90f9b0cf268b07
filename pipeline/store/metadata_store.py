"""How the ML Metadata store is named, reached and waited for. Imports ml_metadata when asked to.

A store is a SQLite file's path, or a URL:

    mysql://USER[:PASSWORD]@HOST[:PORT]/DATABASE
    postgresql://USER[:PASSWORD]@HOST[:PORT]/DATABASE
    grpc://HOST[:PORT]                      ML Metadata's own service, as Kubeflow has it

What follows `?` are the database's TLS options by ML Metadata's names, as `?sslmode=verify-full`.
A password that is left out is read when a node runs, from the variable that the database's own
programs read: it need stand neither in the configuration nor in the compiled pipeline.
"""

from __future__ import annotations

import contextlib
import os
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from components.step.errors import UserError
from components.step.retries import retried

_PORTS = {"mysql": 3306, "postgresql": 5432, "grpc": 8080}
_PASSWORDS = {"mysql": "MYSQL_PWD", "postgresql": "PGPASSWORD"}
_TLS = {
    "mysql": {"key", "cert", "ca", "capath", "cipher"},
    "postgresql": {"sslmode", "sslcert", "sslkey", "sslpassword", "sslrootcert"},
    "grpc": set[str](),
}
_WAITS = (0.5, 1, 2, 4, 8, 15)  # seconds between attempts: half a minute in all
_CALL_SECONDS = 60  # what a call to a gRPC service may take


class MetadataUnavailable(UserError):
    """The ML Metadata store does not answer."""


def is_url(store: str) -> bool:
    """Whether a store is a server's URL and not a file's path."""
    return "://" in store


def check_url(store: str) -> str:
    """Gives the store back.

    Raises:
      ValueError: it is a URL of no store.
    """
    if not is_url(store):
        return store
    parts = urllib.parse.urlsplit(store)
    if parts.scheme not in _PORTS:
        allowed = ", ".join(f"{scheme}://" for scheme in sorted(_PORTS))
        raise ValueError(f"no store is reached by {parts.scheme}://; allowed are a path, {allowed}")
    if not parts.hostname:
        raise ValueError("the URL names no host")
    if parts.scheme != "grpc" and not (parts.username and parts.path.strip("/")):
        raise ValueError(f"it has the form {parts.scheme}://USER@HOST/DATABASE")
    unknown = dict(urllib.parse.parse_qsl(parts.query)).keys() - _TLS[parts.scheme]
    if unknown:
        allowed = ", ".join(sorted(_TLS[parts.scheme])) or "none"
        raise ValueError(f"unknown options {', '.join(sorted(unknown))}; allowed are {allowed}")
    _ = parts.port  # raises ValueError where it is no number
    return store


def connection_config(store: str) -> Any:
    """Gives ML Metadata's own form of a store: ConnectionConfig or MetadataStoreClientConfig."""
    from ml_metadata.proto import metadata_store_pb2

    if not is_url(store):
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = store
        config.sqlite.connection_mode = (
            metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        )
        return config
    parts = urllib.parse.urlsplit(check_url(store))
    port = parts.port or _PORTS[parts.scheme]
    if parts.scheme == "grpc":
        return metadata_store_pb2.MetadataStoreClientConfig(
            host=parts.hostname, port=port, client_timeout_sec=_CALL_SECONDS
        )
    config = metadata_store_pb2.ConnectionConfig()
    server = getattr(config, parts.scheme)
    server.host, server.user = parts.hostname, urllib.parse.unquote(parts.username or "")
    server.password = urllib.parse.unquote(parts.password or "")
    options = dict(urllib.parse.parse_qsl(parts.query))
    if parts.scheme == "mysql":
        server.port, server.database = port, parts.path.strip("/")
        tls = server.ssl_options
    else:
        server.port, server.dbname = str(port), parts.path.strip("/")
        tls = server.ssloption
    for name, value in options.items():
        setattr(tls, name, value)
    return config


def address(config: Any) -> str:
    """Gives where a store is, without the password."""
    scheme = kind(config)
    if scheme == "sqlite":
        return str(config.sqlite.filename_uri)
    server = config if scheme == "grpc" else getattr(config, scheme)
    name = {"mysql": "database", "postgresql": "dbname"}.get(scheme)
    return f"{scheme}://{server.host}:{server.port}" + (f"/{getattr(server, name)}" if name else "")


def with_password(config: Any) -> Any:
    """Gives a copy that has the password of the environment, where it has none of its own."""
    scheme = kind(config)
    copy = type(config)()
    copy.CopyFrom(config)
    if scheme in _PASSWORDS and not getattr(copy, scheme).password:
        getattr(copy, scheme).password = os.environ.get(_PASSWORDS[scheme], "")
    return copy


def wait_for(config: Any, waits: tuple[float, ...] = _WAITS) -> Any:
    """Gives the opened store (ml_metadata's MetadataStore); a server that starts is waited for.

    Args:
      config: as `connection_config` gives it, with its password.
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
    """Opens the store for what is short: a SQLite file is nobody else's meanwhile.

    Raises:
      MetadataUnavailable: it does not answer.
    """
    with guard(config):
        yield wait_for(config)


def guard(config: Any) -> contextlib.AbstractContextManager[Any]:
    """Gives what keeps several processes from one SQLite file at once; servers need none.

    SQLite refuses a write that meets another one, and ML Metadata passes the refusal on.
    """
    if kind(config) != "sqlite":
        return contextlib.nullcontext()
    file = Path(config.sqlite.filename_uri)
    file.parent.mkdir(parents=True, exist_ok=True)
    return filelock.FileLock(f"{file}.lock")


def kind(config: Any) -> str:
    """Gives `sqlite`, `mysql`, `postgresql` or `grpc`."""
    if config.DESCRIPTOR.name == "MetadataStoreClientConfig":
        return "grpc"
    return str(config.WhichOneof("config"))


def _unavailable(config: Any, error: Exception, seconds: float) -> MetadataUnavailable:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return MetadataUnavailable(
        f"The ML Metadata store {address(config)} does not answer after {seconds:.0f} s of "
        f"attempts: {reason}. Nothing was lost: once it answers, the same command goes on."
    )
