"""The services on the gRPC port, each method handed to the core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceServicer
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceServicer

from serving.local_server.batching import Run
from serving.local_server.core import ServerCore
from serving.local_server.errors import ServingError

_MESSAGE_BYTES = 1024  # grpc_status_util.cc


class PredictionService(PredictionServiceServicer):
    """tensorflow.serving.PredictionService."""

    def __init__(self, core: ServerCore) -> None:
        self._core = core

    def Predict(self, request: Any, context: grpc.ServicerContext) -> Any:
        return _answer(self._running(self._core.predict, context), request, context)

    def Classify(self, request: Any, context: grpc.ServicerContext) -> Any:
        return _answer(self._running(self._core.classify, context), request, context)

    def GetModelMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:
        return _answer(self._core.metadata, request, context)

    def Regress(self, request: Any, context: grpc.ServicerContext) -> Any:
        return _answer(self._running(self._core.regress, context), request, context)

    def MultiInference(self, request: Any, context: grpc.ServicerContext) -> Any:
        return _answer(self._running(self._core.infer, context), request, context)

    def _running(
        self, method: Callable[[Any, Run], Any], context: grpc.ServicerContext
    ) -> Callable[[Any], Any]:
        """The method, bounded by the deadline of the client, and by its leaving."""
        return lambda request: method(
            request, self._core.runner(context.is_active, context.time_remaining())
        )


class ModelService(ModelServiceServicer):
    """tensorflow.serving.ModelService."""

    def __init__(self, core: ServerCore) -> None:
        self._core = core

    def GetModelStatus(self, request: Any, context: grpc.ServicerContext) -> Any:
        return _answer(self._core.status, request, context)

    def HandleReloadConfigRequest(self, request: Any, context: grpc.ServicerContext) -> Any:
        return _answer(self._core.reload, request, context)


def _answer(method: Callable[[Any], Any], request: Any, context: grpc.ServicerContext) -> Any:
    """Runs `method`, unless its client has given up while the request waited for a thread."""
    remaining = context.time_remaining()
    if not context.is_active() or (remaining is not None and remaining <= 0):
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The client no longer waits")
    try:
        return method(request)
    except Exception as error:
        code, message = ServingError.of_request(error).status
    # Not the error itself: its traceback and this frame would keep each other, and the request.
    context.abort(code, _cut(message))


def _cut(message: str) -> str:
    """Cuts a message where TensorFlow Serving does, in the middle of a letter if need be."""
    data = message.encode(errors="replace")
    if len(data) <= _MESSAGE_BYTES:
        return message
    return data[:_MESSAGE_BYTES].decode(errors="ignore") + "...TRUNCATED"
