"""A server on this machine that speaks S3: moto's, with one bucket."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

BUCKET = "pictures"
WORKER = "beam-worker"
"""What a process is to say in AWS_SDK_UA_APP_ID, for the server to tell its requests apart."""


@dataclasses.dataclass(frozen=True)
class Server:
    """The server; `moto` holds what it has."""

    store: Any
    """fsspec's file system of it."""
    backend: Any
    """moto's own objects: tests look into them past the network."""
    of_workers: list[tuple[str, str]]
    """Method and key of each request of a process that says it is a worker."""

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
    of_workers: list[tuple[str, str]] = []
    handle = DomainDispatcherApplication.__call__

    def handled(self: Any, environ: dict[str, Any], start_response: Any) -> Any:
        if f"app/{WORKER}" in environ.get("HTTP_USER_AGENT", ""):
            key = environ["PATH_INFO"].removeprefix(f"/{BUCKET}/")
            of_workers.append((environ["REQUEST_METHOD"], key))
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
        yield Server(store, s3_backends["123456789012"]["aws"], of_workers)
    finally:
        server.stop()
        fsspec.filesystem("s3").clear_instance_cache()
