"""Calls without a request, which gRPC's Python answers with other messages than its C++."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.message import DecodeError

_THREADS = "experimental_thread_pool"  # where gRPC looks for it (_server.py, grpc_health)


class OneMessage(grpc.ServerInterceptor):
    """Takes the one message from the stream itself, and knows every method.

    gRPC's Python would call a half-closed stream UNIMPLEMENTED, and log a message that is no
    protocol buffer.
    """

    def intercept_service(
        self, continuation: Callable[[Any], Any], handler_call_details: Any
    ) -> grpc.RpcMethodHandler:
        handler = continuation(handler_call_details)
        if handler is None:
            return grpc.stream_unary_rpc_method_handler(_unknown)
        if handler.request_streaming or handler.response_streaming:
            return handler

        def answer(messages: Iterator[bytes], context: grpc.ServicerContext) -> Any:
            message = next(messages, None)
            if message is None:
                context.abort(grpc.StatusCode.INTERNAL, "Couldn't initialize byte buffer reader")
            try:
                request = handler.request_deserializer(message)
            except DecodeError:
                context.abort(grpc.StatusCode.INTERNAL, "")
            return handler.unary_unary(request, context)

        _keep_threads(handler.unary_unary, answer)
        return grpc.stream_unary_rpc_method_handler(
            answer, response_serializer=handler.response_serializer
        )


def own_threads(method: Callable[..., Any], pool: ThreadPoolExecutor) -> None:
    """Has gRPC answer a method by these threads, however busy the server's own are."""
    setattr(method, _THREADS, pool)


def _keep_threads(method: Callable[..., Any], wrapped: Callable[..., Any]) -> None:
    if hasattr(method, _THREADS):
        setattr(wrapped, _THREADS, getattr(method, _THREADS))


def _unknown(messages: Iterator[bytes], context: grpc.ServicerContext) -> None:
    context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
