"""HTTP as TensorFlow Serving's libevent speaks it: kept connections, chunks, gzip, HTML errors."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import socketserver
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from serving.local_server import http_body

SILENCE_SECONDS = 50  # libevent's HTTP_READ_TIMEOUT: a client that sends nothing has gone
_HTML = "text/html"
_TARGET = re.compile(
    r"(?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?//[^/?#]*)?"  # of a proxy's request
    r"((?:[A-Za-z0-9._~!$&'()*+,;=:@/?#-]|%[0-9A-Fa-f]{2})*)"
)


class HttpServer(ThreadingHTTPServer):
    """Answers each connection in a thread of its own from the moment it is made.

    Raises:
        OSError: the port is taken, or not ours to take.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, handler: type[HttpHandler]) -> None:
        super().__init__((host, port), handler)
        self._changed = threading.Condition()  # guards the next three
        self._open = 0
        self._idle: set[socket.socket] = set()
        self._stopping = False
        threading.Thread(target=self.serve_forever, name="rest", daemon=True).start()

    def stop(self, grace: float) -> None:
        """Stops listening and waits at most `grace` seconds for the requests under way.

        What has arrived on an idle connection is answered; then its client has to leave.
        """
        with self._changed:
            self._stopping = True  # first: what is answered from now on says that it closes
        self.shutdown()
        self.server_close()
        with self._changed:
            for connection in self._idle:
                _end_reading(connection)
            self._changed.wait_for(lambda: self._open == 0, grace)

    @property
    def stopping(self) -> bool:
        return self._stopping

    def set_idle(self, connection: socket.socket, idle: bool) -> None:
        """Says whether a connection waits for its next request."""
        with self._changed:
            if not idle:
                self._idle.discard(connection)
                return
            self._idle.add(connection)
            if self._stopping:
                _end_reading(connection)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer asks the name service for the host

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._changed:
            self._open += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._changed:
                self._idle.discard(request)
                self._open -= 1
                self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: what is left to fail here is the connection."""


class HttpHandler(BaseHTTPRequestHandler):
    """One connection; a subclass answers its requests in `respond`."""

    server: HttpServer
    protocol_version = "HTTP/1.1"
    timeout = SILENCE_SECONDS
    disable_nagle_algorithm = True  # or an answer on a kept connection waits for 40 ms

    def respond(self, target: str, body: bytes) -> None:
        """Answers a request for a path and its query by `send`, or by `send_error`."""
        raise NotImplementedError

    def awaited(self) -> bool:
        """Checks whether the client may still wait: its side has not reset the connection.

        One that has only ended its writing waits for the answer, and TCP tells a closed socket from
        such a one once something is sent to it.
        """
        poll = select.poll()  # recv would wait for `timeout`, whatever its flags
        poll.register(self.connection, 0)  # errors and resets alone
        return not poll.poll(0)

    def send(self, status: int, kind: str, content: bytes) -> None:
        """Sends an answer; the connection stays open unless a side wants it closed."""
        if self.server.stopping:
            self.close_connection = True
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Date", self.date_time_string())
        if self.close_connection:
            self.send_header("Connection", "close")
        elif self.request_version == "HTTP/1.0":
            self.send_header("Connection", "keep-alive")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Sends libevent's page about an error, and closes the connection, as it does."""
        self.request_version = self.protocol_version  # of a request line that has none
        if code == HTTPStatus.HTTP_VERSION_NOT_SUPPORTED:
            code = HTTPStatus.BAD_REQUEST
        phrase = HTTPStatus(code).phrase
        page = (
            f"<HTML><HEAD>\n<TITLE>{code} {phrase}</TITLE>\n</HEAD><BODY>\n"
            f"<H1>{phrase}</H1>\n</BODY></HTML>\n"
        )
        self.close_connection = True
        self.send(code, _HTML, page.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def handle_one_request(self) -> None:
        self.server.set_idle(self.connection, True)
        super().handle_one_request()

    def parse_request(self) -> bool:
        self.server.set_idle(self.connection, False)
        return super().parse_request()

    def _handle(self) -> None:
        try:
            # Of the line itself: `path` is without the second of two slashes.
            target = _TARGET.fullmatch(self.requestline.split()[1])
            expected = self.headers.get("Expect", "100-continue")
            if expected.lower() != "100-continue":
                raise http_body.BadRequest(HTTPStatus.EXPECTATION_FAILED)
            body = http_body.read(self.headers, self.rfile)
            if target is None or self.headers.defects or self.request_version == "HTTP/0.9":
                raise http_body.BadRequest(HTTPStatus.BAD_REQUEST)
            self.respond(target[1], body)
        except http_body.BadRequest as error:
            self.send_error(error.status)

    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_PATCH = _handle


def _end_reading(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is gone
        connection.shutdown(socket.SHUT_RD)
