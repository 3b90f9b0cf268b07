"""Calls without a request, which gRPC's Python answers with other messages than its C++."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.message import DecodeError


class OneMessage(grpc.ServerInterceptor):
    """Takes the one message from the stream itself, and knows every method.

    gRPC's Python would call a half-closed stream UNIMPLEMENTED, and log a message that is no
    protocol buffer.

    Args:
        own_threads: the threads of methods that are answered however busy the server's others are.
    """

    def __init__(self, own_threads: Mapping[str, ThreadPoolExecutor]) -> None:
        self._own_threads = own_threads

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

        if pool := self._own_threads.get(handler_call_details.method):
            # Where gRPC looks for the threads of a method, as grpc_health uses it.
            answer.experimental_thread_pool = pool  # type: ignore[attr-defined]
        return grpc.stream_unary_rpc_method_handler(
            answer, response_serializer=handler.response_serializer
        )


def _unknown(messages: Iterator[bytes], context: grpc.ServicerContext) -> None:
    context.abort(grpc.StatusCode.UNIMPLEMENTED, "")
