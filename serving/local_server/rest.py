"""The REST API (http_rest_api_handler.cc, http_server.cc), and a page to try the model with."""

from __future__ import annotations

import json
import logging
import re
import socketserver
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import grpc
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from serving.local_server import json_examples, json_info, json_tensors
from serving.local_server.core import SIGNATURE_DEF, ServerCore
from serving.local_server.errors import ServingError, invalid_argument
from serving.local_server.predict import predict
from serving.local_server.servable import signature_name

_MODEL = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_POST = re.compile(_MODEL + r":(?P<method>classify|regress|predict)", re.IGNORECASE)
_GET = re.compile(_MODEL + r"(?P<metadata>/metadata)?", re.IGNORECASE)
_PAGE = Path(__file__).with_name("page.html")
_SILENCE_SECONDS = 10  # a client that sends nothing for so long has gone
_STATUS = {  # http_server.cc
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.FAILED_PRECONDITION: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.OUT_OF_RANGE: HTTPStatus.BAD_REQUEST,
    grpc.StatusCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    grpc.StatusCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    grpc.StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    grpc.StatusCode.ABORTED: HTTPStatus.CONFLICT,
    grpc.StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    grpc.StatusCode.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    grpc.StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
}


class RestServer(ThreadingHTTPServer):
    """Answers on `host:port` from the moment it is made; port 0 takes a free one.

    The page on `/` asks for `model`.

    Raises:
        OSError: the port is taken, or not ours to take.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, core: ServerCore, host: str, port: int, model: str) -> None:
        super().__init__((host, port), _Handler)
        self.core = core
        self.model = re.sub(r"[^\w.-]", "", model)  # into the page, where others would be code
        self._accepted = 0
        self._answered = threading.Condition()
        threading.Thread(target=self.serve_forever, name="rest", daemon=True).start()

    def stop(self, grace: float) -> None:
        """Stops listening and waits at most `grace` seconds for what has been accepted."""
        self.shutdown()
        self.server_close()
        with self._answered:
            self._answered.wait_for(lambda: self._accepted == 0, grace)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's asks the name service for `host`

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._answered:
            self._accepted += 1
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._answered:
                self._accepted -= 1
                self._answered.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: what is left to fail here is the connection."""


class _Handler(BaseHTTPRequestHandler):
    """One connection, one request, so that no idle connection holds up a stop."""

    server: RestServer
    protocol_version = "HTTP/1.1"  # clients may ask before they send a large body
    timeout = _SILENCE_SECONDS

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/":
            page = _PAGE.read_text(encoding="utf-8").replace("{{model}}", self.server.model)
            self._send(HTTPStatus.OK, "text/html; charset=utf-8", page.encode())
        else:
            self._answer(_GET, self._get)

    def do_POST(self) -> None:
        self._answer(_POST, self._post)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self._reply(code, {"error": message or HTTPStatus(code).phrase})

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(
        self, pattern: re.Pattern[str], handle: Callable[[re.Match[str], bytes], Any]
    ) -> None:
        path = urlsplit(self.path).path
        try:
            body = self._body()
            match = pattern.fullmatch(path)
            if match is None and not path.startswith("/v1/"):
                raise ServingError(grpc.StatusCode.NOT_FOUND, f"Not found: {path}")
            if match is None:
                raise invalid_argument(f"Malformed request: {self.command} {path}")
            self._reply(HTTPStatus.OK, handle(match, body))
        except OSError:  # the connection: there is nobody to answer
            raise
        except Exception as error:
            if not isinstance(error, ServingError):
                logging.exception("%s %s", self.command, path)
            fault = ServingError.of(error)
            status = _STATUS.get(fault.code, HTTPStatus.INTERNAL_SERVER_ERROR)
            self._reply(status, {"error": fault.message})

    def _body(self) -> bytes:
        if "Transfer-Encoding" in self.headers:
            raise ServingError(
                grpc.StatusCode.UNIMPLEMENTED,
                "The development server reads no chunked bodies: send a Content-Length",
            )
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal():
            raise invalid_argument(f"Content-Length is no number: {length}")
        return self.rfile.read(int(length))

    def _reply(self, status: int, document: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(document).encode())

    def _send(self, status: int, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)

    def _get(self, match: re.Match[str], _: bytes) -> dict[str, Any]:
        if match["metadata"]:
            metadata = GetModelMetadataRequest(metadata_field=[SIGNATURE_DEF])
            _fill(metadata.model_spec, match)
            return json_info.metadata(self.server.core.metadata(metadata))
        status = GetModelStatusRequest()
        _fill(status.model_spec, match)
        return json_info.status(self.server.core.status(status))

    def _post(self, match: re.Match[str], body: bytes) -> dict[str, Any]:
        match match["method"].lower():
            case "predict":
                return self._predict(match, body)
            case "classify":
                return self._classify(match, body)
        raise ServingError(
            grpc.StatusCode.UNIMPLEMENTED, "The development server serves no REST regress"
        )

    def _classify(self, match: re.Match[str], body: bytes) -> dict[str, Any]:
        request = ClassificationRequest()
        _fill(request.model_spec, match)
        json_examples.fill(request, body)
        return json_examples.answer(self.server.core.classify(request))

    def _predict(self, match: re.Match[str], body: bytes) -> dict[str, Any]:
        document = json_tensors.parse(body)
        request = PredictRequest()
        _fill(request.model_spec, match)
        request.model_spec.signature_name = document.signature_name
        core = self.server.core
        with core.lease(request) as servable:
            name = signature_name(request.model_spec)
            if name not in servable.signatures:
                raise invalid_argument(
                    f'Serving signature name: "{name}" not found in signature def'
                )
            sent = json_tensors.tensors(document, servable.signatures[name].inputs)
            for alias, tensor in sent.items():
                request.inputs[alias].CopyFrom(tensor)
            return json_tensors.answer(
                predict(servable, request, core.runner()).outputs, document.row
            )


def _fill(spec: ModelSpec, match: re.Match[str]) -> None:
    spec.name = unquote(match["name"])
    if match["label"]:
        spec.version_label = unquote(match["label"])
    if match["version"]:
        try:
            spec.version.value = int(match["version"])
        except ValueError:  # over 64 bit
            raise invalid_argument(
                f"Failed to convert version: {match['version']} to numeric."
            ) from None
