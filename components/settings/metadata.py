"""How the ML Metadata store is named: `runtime.metadata`. Imports ml_metadata when asked to.

A store is a SQLite file's path, or a URL:

    mysql://USER[:PASSWORD]@HOST[:PORT]/DATABASE
    postgresql://USER[:PASSWORD]@HOST[:PORT]/DATABASE
    grpc://HOST[:PORT]                      ML Metadata's own service, as Kubeflow has it

What follows `?` are the database's TLS options by ML Metadata's names, as `?sslmode=verify-full`.
A password that is left out is read when a node runs, from the variable that the database's own
programs read: it need stand neither in the configuration nor in the compiled pipeline.
"""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

from components.files.paths import is_remote

_PORTS = {"mysql": 3306, "postgresql": 5432, "grpc": 8080}
_TLS = {
    "mysql": {"key", "cert", "ca", "capath", "cipher"},
    "postgresql": {"sslmode", "sslcert", "sslkey", "sslpassword", "sslrootcert"},
    "grpc": set[str](),
}
_PASSWORD = re.compile(
    r"(?<=://)([^\s/:@]*:).*(?=@)|(?<=[?&])([^=&\s]*pass[^=&\s]*=)[^&]*", re.DOTALL
)
_CALL_SECONDS = 60  # what a call to a gRPC service may take


def is_url(store: str) -> bool:
    """Checks whether a store is a server's URL and not a file's path."""
    return is_remote(store)


def check_url(store: str) -> str:
    """Returns the store.

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


def without_passwords(text: str) -> str:
    """Returns a store's URL, also one that is wrong, with `...` in place of passwords."""
    return _PASSWORD.sub(lambda match: f"{match[1] or match[2]}...", text)


def connection_config(store: str) -> Any:
    """Returns ML Metadata's own form of a store: ConnectionConfig or MetadataStoreClientConfig."""
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
