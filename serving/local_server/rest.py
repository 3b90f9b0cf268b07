"""The REST API (http_rest_api_handler.cc, http_rest_api_util.cc), and a page to try the model."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

import grpc
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.regression_pb2 import RegressionRequest

from serving.local_server import json_answers, json_document, json_info, json_tensors
from serving.local_server.core import SIGNATURE_DEF, ServerCore
from serving.local_server.errors import ServingError, invalid_argument
from serving.local_server.http_server import HttpHandler, HttpServer
from serving.local_server.json_examples import examples
from serving.local_server.predict import predict
from serving.local_server.servable import signature_name

_OnExamples = TypeVar("_OnExamples", ClassificationRequest, RegressionRequest)

_VERSION = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_FLAGS = re.IGNORECASE | re.ASCII
_POST = re.compile(
    rf"/v1/models/(?P<name>[^/:]+){_VERSION}:(?P<method>classify|regress|predict)", _FLAGS
)
_GET = re.compile(rf"/v1/models(?:/(?P<name>[^/:]+))?{_VERSION}(?:/(?P<method>metadata))?", _FLAGS)
_PAGE = Path(__file__).with_name("page.html")
_JSON = "application/json"
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


class RestServer(HttpServer):
    """The REST API for the models of `core`, and the page on `/`, which asks for `model`.

    Raises:
        OSError: the port is taken, or not ours to take.
    """

    def __init__(self, core: ServerCore, host: str, port: int, model: str) -> None:
        self.core = core
        self.model = re.sub(r"[^\w.-]", "", model)  # into the page, where others would be code
        super().__init__(host, port, _Handler)


class _NoNumber(Exception):
    """A version over 64 bit: TensorFlow Serving answers it with an empty message."""


class _Handler(HttpHandler):
    server: RestServer

    def respond(self, target: str, body: bytes) -> None:
        if self.command == "GET" and target.partition("?")[0] == "/":
            page = _PAGE.read_text(encoding="utf-8").replace("{{model}}", self.server.model)
            self.send(HTTPStatus.OK, "text/html; charset=utf-8", page.encode())
        elif not target.lower().startswith("/v1/"):
            self.send_error(HTTPStatus.NOT_FOUND)
        elif self.command == "OPTIONS":
            preflight = re.search("https?://", self.headers.get("Origin", ""))
            found = HTTPStatus.OK if preflight else HTTPStatus.BAD_REQUEST
            self.send(found, "text/html; charset=ISO-8859-1", b"")
        else:
            status, text = self._answer(target, body)
            self.send(status, _JSON, text.encode(errors="surrogateescape"))

    def _answer(self, target: str, body: bytes) -> tuple[int, str]:
        try:
            return HTTPStatus.OK, self._result(target, body)
        except _NoNumber:
            return HTTPStatus.BAD_REQUEST, ""
        except RecursionError:
            message = "JSON Parse error: nested too deep for this server"
            return HTTPStatus.BAD_REQUEST, json_answers.error(message)
        except Exception as error:
            # The error itself is not kept: it and this frame would keep each other, and the body.
            code, message = ServingError.of_request(error).status
            if not isinstance(error, ServingError) and code == grpc.StatusCode.INTERNAL:
                logging.exception("%s %s", self.command, target)
        status = _STATUS.get(code, HTTPStatus.INTERNAL_SERVER_ERROR)
        return status, json_answers.error(message)

    def _result(self, target: str, body: bytes) -> str:
        pattern = {"GET": _GET, "POST": _POST}.get(self.command)
        match = pattern.fullmatch(target) if pattern else None
        if match is None:
            raise invalid_argument(f"Malformed request: {self.command} {target}")
        spec = _spec(match)
        # The patterns take any case, the comparisons of the method do not.
        match self.command, match["method"]:
            case "POST", "predict":
                return self._predict(spec, body)
            case "POST", "classify":
                return self._classify(spec, body)
            case "POST", "regress":
                return self._regress(spec, body)
            case "POST", _:
                raise invalid_argument(f"Malformed request: {self.command} {target}")
        if not spec.name:
            raise invalid_argument("Missing model name in request.")
        if match["method"] == "metadata":
            request = GetModelMetadataRequest(model_spec=spec, metadata_field=[SIGNATURE_DEF])
            return json_info.metadata(self.server.core.metadata(request))
        return json_info.status(self.server.core.status(GetModelStatusRequest(model_spec=spec)))

    def _classify(self, spec: ModelSpec, body: bytes) -> str:
        core, request = self.server.core, _on_examples(ClassificationRequest, spec, body)
        return json_answers.classification(core.classify(request, core.runner(self.awaited)).result)

    def _regress(self, spec: ModelSpec, body: bytes) -> str:
        core, request = self.server.core, _on_examples(RegressionRequest, spec, body)
        return json_answers.regression(core.regress(request, core.runner(self.awaited)).result)

    def _predict(self, spec: ModelSpec, body: bytes) -> str:
        document = json_document.parse(body)
        named = json_document.signature_name(document)
        request = PredictRequest(model_spec=spec)
        core = self.server.core
        with core.lease(request) as servable:
            name = named or signature_name(request.model_spec)
            if name not in servable.signatures:
                raise invalid_argument(
                    f'Serving signature name: "{name}" not found in signature def'
                )
            infos = servable.signatures[name].inputs
            if not infos:
                raise invalid_argument(f"Failed to get input map for signature: {name}")
            request.model_spec.signature_name = name
            for alias, tensor in json_tensors.tensors(document, infos).items():
                request.inputs[alias].CopyFrom(tensor)
            outputs = predict(servable, request, core.runner(self.awaited)).outputs
        if json_tensors.is_row(document):
            return json_answers.predictions(outputs)
        return json_answers.outputs(outputs)


def _spec(match: re.Match[str]) -> ModelSpec:
    spec = ModelSpec(name=unquote(match["name"] or ""))
    if match["label"]:
        spec.version_label = unquote(match["label"])
    if match["version"]:
        try:
            spec.version.value = int(match["version"])
        except ValueError:
            raise _NoNumber from None
    return spec


def _on_examples(kind: type[_OnExamples], spec: ModelSpec, body: bytes) -> _OnExamples:
    """Returns the request of a body that holds tf.Examples and may name a signature."""
    document = json_document.parse(body)
    name = json_document.signature_name(document)
    try:
        spec.signature_name = name
    except ValueError:  # no UTF-8, which C++ would take: no model has such a signature
        raise invalid_argument(f"No signature was found with the name: {name}") from None
    return kind(model_spec=spec, input=examples(document))
