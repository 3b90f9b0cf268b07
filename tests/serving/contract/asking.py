"""Puts a question to a server and writes its answer down in the form of golden.json."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.text_format import MessageToString

from tests.serving.server_process import ServerAt

Answer = dict[str, Any]
"""`code` and `details`, or `answer`, of gRPC; `status`, `type` and `body` of REST."""

Question = Callable[[ServerAt], Answer]

Grpc = Callable[[ServerAt], object]


def asked(ask: Grpc) -> Question:
    """Returns the question whose answer is what `ask` returns as text, or its gRPC error."""

    def question(server: ServerAt) -> Answer:
        try:
            found = ask(server)
            text = found if isinstance(found, str) else MessageToString(found)
            return {"answer": squeezed(text)}
        except grpc.RpcError as error:
            first = (error.details() or "").partition("\n")[0]
            return {"code": error.code().name, "details": first}

    return question


def rest(
    method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
) -> Question:
    """Returns the question of one HTTP request.

    Args:
        method: any word.
        path: as it is sent.
        body: JSON; bytes as they are; or chunks of bytes as a tuple.
        headers: more than Host and the length.
    """
    if body is not None and not isinstance(body, (bytes, tuple)):
        body = json.dumps(body).encode()

    def question(server: ServerAt) -> Answer:
        chunked = isinstance(body, tuple)
        sent = iter(body) if chunked else body
        with server.http() as connection:
            connection.request(method, path, sent, headers or {}, encode_chunked=chunked)
            response = connection.getresponse()
            text = response.read().decode(errors="backslashreplace")
        kind = response.headers["Content-Type"]
        return {"status": response.status, "type": kind, "body": squeezed(text)}

    return question


def squeezed(text: str) -> str:
    """Returns the text with every white space as one blank."""
    return re.sub(r"\s+", " ", text).strip()
