"""Connections and bodies of the REST port."""

from __future__ import annotations

import gzip
import io
import socket
import threading
from collections.abc import Iterator
from email.message import Message
from http import HTTPStatus

import pytest

from serving.local_server import http_body
from serving.local_server.http_server import HttpHandler, HttpServer
from tests.serving.server_process import ServerProcess

ZIPPED = gzip.compress(b"x", mtime=0)
ASK = b"GET /v1/models/m HTTP/1.1\r\nHost: x\r\n\r\n"


class Echo(HttpHandler):
    """Answers with the request's path, `/slow` only after the test allows it."""

    asked, allowed = threading.Event(), threading.Event()

    def respond(self, target: str, body: bytes) -> None:
        if target == "/slow":
            self.asked.set()
            assert self.allowed.wait(60)
        self.send(HTTPStatus.OK, "text/plain", target.encode())


@pytest.fixture
def echo() -> Iterator[HttpServer]:
    server = HttpServer("127.0.0.1", 0, Echo)
    yield server
    server.stop(0)


def connected(server: HttpServer) -> socket.socket:
    return socket.create_connection(server.server_address[:2], timeout=60)


def everything(connection: socket.socket) -> bytes:
    """Returns the bytes that the server sends until it closes the connection."""
    return b"".join(iter(lambda: connection.recv(4096), b""))


def stopped(server: HttpServer) -> threading.Thread:
    """Begins to stop a server, with a grace that no test waits for."""
    thread = threading.Thread(target=server.stop, args=[3600.0], daemon=True)
    thread.start()
    return thread


def test_a_stop_waits_for_no_idle_connection(echo: HttpServer) -> None:
    with connected(echo) as silent, connected(echo) as answered:
        answered.sendall(b"GET /a HTTP/1.1\r\n\r\n")
        assert answered.recv(4096).startswith(b"HTTP/1.1 200")
        stop = stopped(echo)
        assert everything(silent) == b""
        everything(answered)
        stop.join(60)
        assert not stop.is_alive()


def test_a_stop_waits_for_a_request_under_way_and_closes_its_connection(echo: HttpServer) -> None:
    with connected(echo) as connection:
        connection.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
        assert Echo.asked.wait(60)
        stop = stopped(echo)
        stop.join(0.5)
        assert stop.is_alive()
        Echo.allowed.set()
        answer = everything(connection)
        assert answer.endswith(b"/slow")
        assert b"Connection: close" in answer
        stop.join(60)
        assert not stop.is_alive()


def test_an_error_page_ends_the_connection_and_a_refusal_in_json_does_not(
    server: ServerProcess,
) -> None:
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=60) as connection:
        connection.sendall(ASK + ASK + b"GET /nowhere HTTP/1.1\r\n\r\n" + ASK)
        answers = everything(connection)
    assert answers.count(b"HTTP/1.1 404") == 3
    assert answers.count(b"Could not find any versions of model m") == 2
    assert answers.count(b"Connection: close") == 1


@pytest.mark.parametrize(
    ("noise", "status"),
    [
        (b"GET\r\n\r\n", 400),
        (b"GET /v1/models/m\r\n\r\n", 400),
        (b"GET /v1/models/m HTTP/2.0\r\n\r\n", 400),
        (b"GET /v1/models/m HTTP/1.1\r\nno header\r\n\r\n", 400),
        (b"POST /v1/models/m HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST /v1/models/m HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /v1/models/m HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST /v1/models/m HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 413),
        (b"POST /v1/models/m HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % 2**60, 413),
        (b"POST /v1/models/m HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % 2**60, 413),
        (b"POST /v1/models/m HTTP/1.1\r\nExpect: more\r\nContent-Length: 2\r\n\r\n{}", 417),
    ],
)
def test_what_is_no_http_is_answered_by_a_page(
    noise: bytes, status: int, server: ServerProcess
) -> None:
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=60) as connection:
        connection.sendall(noise)
        answer = everything(connection)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"<H1>" in answer


def body(data: bytes, **headers: str) -> bytes:
    message = Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return http_body.read(message, io.BufferedReader(io.BytesIO(data)))


def test_chunks_are_joined_and_their_trailers_are_read() -> None:
    chunks = b"2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nTrailer: 1\r\n\r\n"
    assert body(chunks, Transfer_Encoding="Chunked") == b"abcde"


def test_a_body_that_breaks_off_is_no_request() -> None:
    for headers in ({"Content_Length": "9"}, {"Transfer_Encoding": "chunked"}):
        with pytest.raises(ConnectionError):
            body(b"9\r\nabc", **headers)


def test_chunks_are_bounded_by_their_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_body, "MAX_BODY_BYTES", 4)
    with pytest.raises(http_body.BadRequest) as refused:
        body(b"3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n", Transfer_Encoding="chunked")
    assert refused.value.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_a_gzipped_body_is_unzipped_up_to_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    zipped = gzip.compress(b"x" * 1000)
    size = str(len(zipped))
    assert body(zipped, Content_Length=size, Content_Encoding="gzip") == b"x" * 1000
    monkeypatch.setattr(http_body, "MAX_UNZIPPED_BYTES", 1000)
    assert http_body.unzipped(zipped) == b"x" * 1000
    monkeypatch.setattr(http_body, "MAX_UNZIPPED_BYTES", 999)
    assert http_body.unzipped(zipped) == b""


@pytest.mark.parametrize("broken", [b"x", ZIPPED[:-1], ZIPPED + b"x"])
def test_what_is_no_gzip_file_is_an_empty_body(broken: bytes) -> None:
    assert http_body.unzipped(broken) == b""
