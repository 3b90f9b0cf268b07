"""The local server as a whole: a version manager, a core, and two ports in front of it."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from grpc_health.v1 import health_pb2_grpc
from tensorflow_serving.apis.model_service_pb2_grpc import add_ModelServiceServicer_to_server
from tensorflow_serving.apis.prediction_service_pb2_grpc import (
    add_PredictionServiceServicer_to_server,
)
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.config_files import BatchingOptions
from serving.local_server import IS_AVAILABLE
from serving.local_server.batching import Batcher
from serving.local_server.core import ServerCore
from serving.local_server.grpc_services import ModelService, PredictionService
from serving.local_server.health import Health
from serving.local_server.http_server import SILENCE_SECONDS
from serving.local_server.manager import Load, load
from serving.local_server.models import ModelSet, check
from serving.local_server.one_message import OneMessage
from serving.local_server.recorded import Recorded
from serving.local_server.rest import RestServer
from serving.local_server.states import AVAILABLE, END, VersionState
from serving.recording.settings import Recording

_THREADS = 64  # each request that waits for a batch holds one
_WATCHING_THREADS = 4
_WATCHING = ("/grpc.health.v1.Health/Check", "/tensorflow.serving.ModelService/GetModelStatus")
_GRACE_SECONDS = 30.0  # for requests under way when the server is told to end
_CANCEL_SECONDS = 1.0  # for gRPC to tell clients that theirs is cancelled
_GRPC_OPTIONS = (
    ("grpc.max_receive_message_length", -1),  # TensorFlow Serving's default, not gRPC's 4 MiB
    ("grpc.max_send_message_length", -1),
    ("grpc.server_handshake_timeout_ms", SILENCE_SECONDS * 1000),  # gRPC's own: 120 s
    ("grpc.so_reuseport", 0),  # or a second server on the same port would get half the requests
)


class LocalServer:
    """A development server for the models of `config`; it listens once it is made.

    Args:
        config: the models' names and directories, which may be missing or empty yet; see
            `models.one_model`.
        host: the address to listen on.
        port: for gRPC; 0 takes a free one, see the attribute `port`.
        rest_port: for REST; likewise.
        batching: how requests of several clients are joined; None: not at all.
        ssl: an SSLConfig for gRPC; None: no TLS. REST has none, as in TensorFlow Serving.
        record: what is kept of the pictures that it is asked about; None: nothing.
        load: makes a version ready.
        announce: is given one line when a version becomes available, fails to load or leaves.

    Raises:
        OSError: a port is taken, or `ssl` has no key and certificate.
        ServingError: the models' configuration cannot be.
    """

    def __init__(
        self,
        config: ModelServerConfig,
        *,
        host: str = "127.0.0.1",
        port: int = 8500,
        rest_port: int = 8501,
        batching: BatchingOptions | None = None,
        ssl: Any = None,
        record: Recording | None = None,
        load: Load = load,
        announce: Callable[[str], None] = print,
    ) -> None:
        check(config)  # before a port is taken
        self._announce = announce
        self._looking = threading.Lock()
        self._health = Health()
        self._models = ModelSet(self._changed, load)
        self._batcher = Batcher(batching) if batching else None
        core = ServerCore(self._models, self._batcher, Recorded(record) if record else None)
        self._grpc = self._grpc_server(core)
        self.port = _bind(self._grpc, host, port, ssl)
        served = config.model_config_list.config
        self._rest = RestServer(core, host, rest_port, served[0].name if served else "")
        self.rest_port: int = self._rest.server_address[1]
        self._grpc.start()
        self._say(
            "Development server (production runs TensorFlow Serving): "
            + ", ".join(f"{model.name} from {model.base_path}" for model in served)
            + f", gRPC on {host}:{self.port}, REST on {host}:{self.rest_port}"
        )
        self._models.apply(config, wait=False)

    def stop(self, grace: float = _GRACE_SECONDS) -> None:
        """Accepts no more and waits at most `grace` seconds for the requests under way."""
        end = time.monotonic() + grace
        self._health.enter_graceful_shutdown()
        finished = self._grpc.stop(grace)
        self._rest.stop(grace)
        finished.wait(max(0.0, end - time.monotonic()) + _CANCEL_SECONDS)
        if self._batcher:
            self._batcher.stop(max(0.0, end - time.monotonic()))
        self._models.stop()

    def __enter__(self) -> LocalServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _grpc_server(self, core: ServerCore) -> grpc.Server:
        threads = ThreadPoolExecutor(_THREADS)
        own = dict.fromkeys(_WATCHING, ThreadPoolExecutor(_WATCHING_THREADS))
        server = grpc.server(threads, interceptors=[OneMessage(own)], options=_GRPC_OPTIONS)
        add_PredictionServiceServicer_to_server(PredictionService(core), server)
        add_ModelServiceServicer_to_server(ModelService(core), server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        return server

    def _changed(self, name: str, state: VersionState) -> None:
        with self._looking:  # or a thread that looked before another would have the last word
            states = [entry.state for model in self._models.all() for entry in model.states()]
            self._health.set_all(AVAILABLE in states)
        version = f"{name} version {state.version}"
        if state.state == AVAILABLE:
            self._say(f"{version} {IS_AVAILABLE}")
        elif state.state == END and state.code:
            self._say(f"{version} does not load: {state.message}")
        elif state.state == END:
            self._say(f"{version} is unloaded")

    def _say(self, line: str) -> None:
        """Announces a line; one that can't be written ends no request and no thread."""
        with contextlib.suppress(OSError, ValueError):  # a closed pipe, a full disk
            self._announce(line)


def run(server: Callable[[], LocalServer]) -> None:
    """Serves until SIGINT or SIGTERM, which end the process; a second one does without waiting.

    A request that is still being run after the grace is left: the process ends without it. What
    Python does at its end is left out, too: TensorFlow's and gRPC's threads are still there, and
    nothing could end a process that waits for one of them by then.
    """
    ending = (signal.SIGINT, signal.SIGTERM)
    taken, taker = socket.socketpair()
    taker.setblocking(False)
    # Python's C code writes there in whichever thread the system gives the signal to. A handler
    # that wakes the main thread runs in it, and may need a lock that it holds.
    signal.set_wakeup_fd(taker.fileno())
    for number in ending:
        signal.signal(number, lambda number, _: signal.signal(number, signal.SIG_DFL))
    gc.freeze()  # TensorFlow itself; what remains to collect after a model is that model
    with server():
        while taken.recv(1)[0] not in ending:
            pass
        last = threading.Timer(_GRACE_SECONDS + 2 * _CANCEL_SECONDS, _end)
        last.daemon = True
        last.start()
    _end()


def _end() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(0)


def _bind(server: grpc.Server, host: str, port: int, ssl: Any) -> int:
    address = f"{host}:{port}"
    try:
        bound: int = (
            server.add_secure_port(address, _credentials(ssl))
            if ssl
            else server.add_insecure_port(address)
        )
    except RuntimeError:
        bound = 0  # as older gRPC says it
    if not bound:
        keys = (
            ", or the ssl_config_file's key and certificate are no PEM, or no pair" if ssl else ""
        )
        raise OSError(f"Cannot listen on {address}: the port is taken, or not ours to take{keys}")
    return bound


def _credentials(ssl: Any) -> grpc.ServerCredentials:
    """Of an SSLConfig, whose fields hold PEM text."""
    return grpc.ssl_server_credentials(
        [(ssl.server_key.encode(), ssl.server_cert.encode())],
        root_certificates=ssl.custom_ca.encode() or None,
        require_client_auth=ssl.client_verify,
    )
