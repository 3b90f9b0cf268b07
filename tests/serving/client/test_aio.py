"""The asyncio client gives what the synchronous one does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from serving.client import (
    AsyncClient,
    Client,
    ModelNotFound,
    PictureRefused,
    ServerBusy,
    ServerUnavailable,
)
from tests.explains import refused
from tests.serving.client.test_client import Moody, nowhere, picture, served
from tests.serving.samples import jpeg, png
from tests.serving.server_process import ServerProcess

__all__ = ["nowhere"]


def asked(address: str, what: Callable[[AsyncClient], Awaitable[Any]], **options: Any) -> Any:
    async def ask() -> Any:
        async with AsyncClient(address, **options) as client:
            return await what(client)

    return asyncio.run(ask())


async def each(client: AsyncClient, sources: list[Any]) -> list[Any]:
    return [answer async for answer in client.classify_each(sources)]


def test_it_answers_as_the_synchronous_client(server: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / "green.png").write_bytes(png(picture("green")))
    sources = [png(picture("red")), tmp_path / "green.png", jpeg(picture("blue"))] * 15
    with Client(server.address) as client:
        expected = client.classify(sources)
        status, metadata = client.status(), client.metadata()
    options = {"max_pictures": 2, "concurrency": 3}
    assert asked(server.address, lambda client: client.classify(sources), **options) == expected
    assert asked(server.address, AsyncClient.status) == status
    assert asked(server.address, AsyncClient.metadata) == metadata


def test_it_goes_on_past_refused_pictures(server: ServerProcess, tmp_path: Path) -> None:
    sources = [png(picture("red")), b"no picture", tmp_path / "missing.png", png(picture("blue"))]
    first, second, third, fourth = asked(server.address, lambda client: each(client, sources))
    assert (first.classes[0], fourth.classes[0]) == ("red", "blue")
    assert isinstance(second, PictureRefused) and isinstance(third, PictureRefused)
    kinds = {"allowed": "JPEG, PNG, GIF, BMP, WebP or TIFF", "next": "Send a"}
    with refused(PictureRefused, found="picture 2", **kinds):
        asked(server.address, lambda client: client.classify(sources))


def test_its_errors_are_the_same(server: ServerProcess, nowhere: str) -> None:
    served = {
        "allowed": "a name, version and label",
        "next": "`Client.status` lists",
    }
    with refused(ModelNotFound, found=r"does not serve this: .*Latest\(m\)", **served):
        asked(server.address, lambda client: client.classify([png()]), name="m")
    started = {"allowed": "gRPC port", "next": "Start one with `transfer-pipeline serve"}
    with refused(ServerUnavailable, found=f"No server answers at {nowhere}", **started):
        asked(nowhere, lambda client: client.classify([png()]))
    with pytest.raises(ValueError, match="not for both"):
        asked(nowhere, AsyncClient.status, version=1, label="x")


def test_the_loop_goes_on_while_pictures_are_read(server: ServerProcess) -> None:
    async def count(client: AsyncClient) -> int:
        turns = 0
        task = asyncio.create_task(client.classify([png(picture("red", 1500))] * 8))
        while not task.done():
            await asyncio.sleep(0)
            turns += 1
        await task
        return turns

    assert asked(server.address, count) > 10


def test_it_asks_a_busy_server_again() -> None:
    busy = grpc.StatusCode.RESOURCE_EXHAUSTED
    servicer = Moody(lambda call, _: busy if call < 8 else None, "Server Threadpool Exhausted")
    with served(servicer) as address:
        assert len(asked(address, lambda client: client.classify([png()]))) == 1
        assert servicer.calls == 8
        servicer.calls = -1000
        more = {"allowed": "--grpc_max_threads=64", "next": "Start it with more threads"}
        with refused(ServerBusy, found="too busy to take the request within 0.5 s", **more):
            asked(address, lambda client: client.classify([png()]), timeout=0.5)
