"""A server on this machine that speaks S3: moto's, with one bucket."""

from __future__ import annotations

import dataclasses
import urllib.parse
from collections.abc import Iterator
from typing import Any

import pytest

BUCKET = "pictures"
WORKER = "beam-worker"
"""What a process is to say in AWS_SDK_UA_APP_ID, for the server to tell its requests apart."""


@dataclasses.dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    key: str
    """Of the object; "" where the bucket itself is asked, as for a listing."""
    prefix: str
    """That a listing asks for, else ""."""
    of_worker: bool
    """Whether a process asks that says it is a worker."""


@dataclasses.dataclass(frozen=True)
class Server:
    """The server; `moto` holds what it has."""

    store: Any
    """fsspec's file system of it."""
    backend: Any
    """moto's own objects: tests look into them past the network."""
    requests: list[Asked]
    """All that were made, in their order."""

    def of_workers(self) -> list[Asked]:
        """The requests of processes that say they are workers."""
        return [asked for asked in self.requests if asked.of_worker]

    def listings(self, prefix: str) -> list[Asked]:
        """The requests for a page of the keys that begin like this."""
        return [asked for asked in self.requests if asked.prefix.startswith(prefix)]

    def objects(self) -> set[str]:
        """The keys of all objects in the bucket."""
        return set(self.backend.buckets[BUCKET].keys)

    def put(self, key: str, content: bytes) -> None:
        """Stores an object past the network."""
        self.backend.put_object(BUCKET, key, content)


def serving(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Starts a server, points Amazon's variables at it, and stops it at the end."""
    fsspec = pytest.importorskip("fsspec")
    pytest.importorskip("s3fs")
    server_of = pytest.importorskip("moto.server").ThreadedMotoServer
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication
    from moto.s3.models import s3_backends

    s3_backends["123456789012"]["aws"].reset()  # moto keeps one for the process
    requests: list[Asked] = []
    handle = DomainDispatcherApplication.__call__

    def handled(self: Any, environ: dict[str, Any], start_response: Any) -> Any:
        query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""))
        requests.append(
            Asked(
                method=environ["REQUEST_METHOD"],
                key=environ["PATH_INFO"].removeprefix(f"/{BUCKET}").lstrip("/"),
                prefix=query.get("prefix", [""])[0],
                of_worker=f"app/{WORKER}" in environ.get("HTTP_USER_AGENT", ""),
            )
        )
        return handle(self, environ, start_response)

    monkeypatch.setattr(DomainDispatcherApplication, "__call__", handled)
    server = server_of(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    fsspec.filesystem("s3").clear_instance_cache()
    try:
        store = fsspec.filesystem("s3", use_listings_cache=False)
        store.mkdir(BUCKET)
        yield Server(store, s3_backends["123456789012"]["aws"], requests)
    finally:
        server.stop()
        fsspec.filesystem("s3").clear_instance_cache()
