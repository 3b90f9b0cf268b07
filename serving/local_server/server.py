"""The local server as a whole: a version manager, a core, and two ports in front of it."""

from __future__ import annotations

import gc
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_health.v1.health import OVERALL_HEALTH, HealthServicer
from grpc_health.v1.health_pb2 import HealthCheckResponse
from tensorflow_serving.apis.model_service_pb2_grpc import add_ModelServiceServicer_to_server
from tensorflow_serving.apis.prediction_service_pb2_grpc import (
    add_PredictionServiceServicer_to_server,
)

from serving.local_server.core import ServerCore
from serving.local_server.grpc_services import ModelService, PredictionService
from serving.local_server.manager import AVAILABLE, END, VersionManager, VersionState
from serving.local_server.rest import RestServer

_THREADS = 16
_GRACE_SECONDS = 30.0
_GRPC_OPTIONS = (
    ("grpc.max_receive_message_length", -1),  # TensorFlow Serving's default, not gRPC's 4 MiB
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),  # or a second server on the same port would get half the requests
)
_HEALTH_SERVICES = (
    OVERALL_HEALTH,
    "tensorflow.serving.PredictionService",
    "tensorflow.serving.ModelService",
)


class LocalServer:
    """A development server for the model in `model_dir`; it listens once it is made.

    Args:
        model_dir: the push directory, as `serving.versions` keeps it; may be missing or empty yet.
        name: the name that requests call the model.
        host: the address to listen on.
        port: for gRPC; 0 takes a free one, see the attribute `port`.
        rest_port: for REST; likewise.
        announce: is given one line when a version becomes available, fails to load or leaves.

    Raises:
        OSError: a port is taken.
    """

    def __init__(
        self,
        model_dir: Path,
        name: str = "classifier",
        *,
        host: str = "127.0.0.1",
        port: int = 8500,
        rest_port: int = 8501,
        announce: Callable[[str], None] = print,
    ) -> None:
        self._name = name
        self._announce = announce
        self._health = HealthServicer()
        self._set_health(HealthCheckResponse.NOT_SERVING)
        self._manager = VersionManager(name, model_dir, self._changed)
        core = ServerCore(name, self._manager)
        self._grpc = self._grpc_server(core)
        self.port = _bind(self._grpc, host, port)
        self._rest = RestServer(core, host, rest_port)
        self.rest_port: int = self._rest.server_address[1]
        self._grpc.start()
        announce(
            f"Development server (production runs TensorFlow Serving): {name} from {model_dir},"
            f" gRPC on {host}:{self.port}, REST on {host}:{self.rest_port}"
        )
        self._manager.start()

    def stop(self, grace: float = _GRACE_SECONDS) -> None:
        """Accepts no more and waits at most `grace` seconds for the requests under way."""
        self._health.enter_graceful_shutdown()
        finished = self._grpc.stop(grace)
        self._rest.stop(grace)
        finished.wait()
        self._manager.stop()

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _grpc_server(self, core: ServerCore) -> grpc.Server:
        server = grpc.server(ThreadPoolExecutor(_THREADS), options=_GRPC_OPTIONS)
        add_PredictionServiceServicer_to_server(PredictionService(core), server)
        add_ModelServiceServicer_to_server(ModelService(core), server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        return server

    def _changed(self, state: VersionState) -> None:
        version = f"{self._name} version {state.version}"
        if state.state == AVAILABLE:
            self._announce(f"{version} is AVAILABLE")
        elif state.state == END and state.code:
            self._announce(f"{version} does not load: {state.message}")
        elif state.state == END:
            self._announce(f"{version} is unloaded")
        answering = any(entry.state == AVAILABLE for entry in self._manager.states())
        self._set_health(
            HealthCheckResponse.SERVING if answering else HealthCheckResponse.NOT_SERVING
        )

    def _set_health(self, status: int) -> None:
        for service in _HEALTH_SERVICES:
            self._health.set(service, status)


def run(server: Callable[[], LocalServer]) -> None:
    """Serves until SIGINT or SIGTERM; a second one ends the process without waiting."""
    stopping = threading.Event()

    def stop(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    gc.freeze()  # TensorFlow itself; what remains to collect after a model is that model
    with server():
        stopping.wait()


def _bind(server: grpc.Server, host: str, port: int) -> int:
    try:
        bound: int = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError:
        bound = 0  # as older gRPC says it
    if not bound:
        raise OSError(f"Cannot listen on {host}:{port}: the port is taken, or not ours to take")
    return bound
