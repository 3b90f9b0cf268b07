"""Servers under test: one at an address, and the local one as a process, as users start it."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
from tensorflow_serving.apis.get_model_status_pb2 import (
    GetModelStatusRequest,
    ModelVersionStatus,
)
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

START_SECONDS = 120  # importing TensorFlow on a busy machine


class ServerAt:
    """A server of the model `classifier`, asked with TensorFlow Serving's own stubs and by REST."""

    host, port, rest_port = "127.0.0.1", 0, 0
    base_path = ""  # as the server sees it

    def connect(self) -> None:
        """Opens the channel, once `host` and the ports are known."""
        options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
        self.channel = grpc.insecure_channel(self.address, options=options)
        self.predictions = PredictionServiceStub(self.channel)
        self.models = ModelServiceStub(self.channel)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def states(self) -> dict[int, str]:
        """The state of each version by GetModelStatus."""
        request = GetModelStatusRequest()
        request.model_spec.name = "classifier"
        try:
            response = self.models.GetModelStatus(request)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND
            return {}
        return {
            entry.version: ModelVersionStatus.State.Name(entry.state)
            for entry in response.model_version_status
        }

    def wait_for_states(self, **states: str) -> None:
        """Waits for states by version, such as `_3="AVAILABLE"`."""
        wanted = {int(version[1:]): state for version, state in states.items()}
        wait_until(lambda: wanted.items() <= self.states().items(), self.log)

    def rest(self, path: str, body: Any = None, method: str | None = None) -> tuple[int, Any]:
        """HTTP status and JSON of a request; `body` is JSON, or bytes as they are."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://{self.host}:{self.rest_port}{path}", body, method=method
        )
        try:
            with urllib.request.urlopen(request) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    @contextlib.contextmanager
    def http(self) -> Iterator[http.client.HTTPConnection]:
        """Opens a connection to the REST port."""
        connection = http.client.HTTPConnection(self.host, self.rest_port, timeout=60)
        try:
            yield connection
        finally:
            connection.close()

    def log(self) -> str:
        return "its log is elsewhere"


class RemoteServer(ServerAt):
    """A server that runs already, such as a real TensorFlow Serving."""

    def __init__(self, address: str, rest_port: int, base_path: str) -> None:
        self.host, _, port = address.rpartition(":")
        self.port, self.rest_port, self.base_path = int(port), rest_port, base_path
        self.connect()


class ServerProcess(ServerAt):
    """`python -m serving.local_server` on free ports; `words` are more of its flags."""

    def __init__(self, model_dir: Path | None, *words: str) -> None:
        self.base_path = str(model_dir)
        command = [sys.executable, "-u", "-m", "serving.local_server"]
        command += ["--model-dir", str(model_dir)] if model_dir else []
        command += ["--port", "0", "--rest-port", "0", *words]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self.errors: list[str] = []
        for stream, lines in (
            (self.process.stdout, self.lines),
            (self.process.stderr, self.errors),
        ):
            threading.Thread(target=lambda s=stream, to=lines: to.extend(s), daemon=True).start()

    def wait_until_listening(self) -> None:
        line = self.wait_for_line("gRPC on")
        self.port, self.rest_port = map(int, re.findall(r"127\.0\.0\.1:(\d+)", line))
        self.connect()

    def wait_for_line(self, part: str) -> str:
        wait_until(lambda: any(part in line for line in self.lines), self.log)
        return next(line for line in self.lines if part in line)

    def log(self) -> str:
        return f"exit code {self.process.poll()}\n{''.join(self.lines)}\n{''.join(self.errors)}"

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Asks it to end and gives its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def wait_until(holds: Callable[[], bool], log: Callable[[], str]) -> None:
    end = time.monotonic() + START_SECONDS
    while not holds():
        assert time.monotonic() < end, log()
        time.sleep(0.05)
