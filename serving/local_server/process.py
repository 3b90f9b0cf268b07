"""A server as a child process, for tests and trials that need one for a while."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

from serving import real_server
from serving.child_process import end, tied
from serving.options import ServeOptions

_START_SECONDS = 300.0
_LOOK_SECONDS = 0.2
_ASK_SECONDS = 5.0
_LAST_LINES = 5
_LISTENING = re.compile(r"gRPC on (\S+:\d+)")
# Ours may be silent (quiet.py); the binary inherits it, and its log is needed.
_OF_THE_BINARY = {"TF_CPP_MIN_LOG_LEVEL": "1"}
# retrier.cc, aspired_versions_manager.cc, main.cc
_NOT_LOADED = re.compile(
    r"(?:Loading servable: .* failed|Servable .* cannot be loaded|Failed to start server\. Error):"
    r" (.+)"
)


class ServerFailed(Exception):
    """The server ended, or had no version to serve in time; the message has its last lines."""


@contextlib.contextmanager
def serving(
    model_dir: Path,
    name: str = "classifier",
    seconds: float = _START_SECONDS,
    *,
    batching_parameters_file: Path | None = None,
    prefer_real: bool = False,
) -> Iterator[str]:
    """Serves `model_dir` on free loopback ports while the context lasts, whatever happens in it.

    Yields HOST:PORT of gRPC, once a version is available.

    Args:
      model_dir: the push directory.
      name: what requests call the model.
      seconds: how long a version may take to become available.
      batching_parameters_file: joins the requests of several clients.
      prefer_real: TensorFlow Serving itself where the machine has it, else the local server.

    Raises:
      ServerFailed: no version became available.
    """
    options = ServeOptions(model_dir, name, 0, 0, batching_parameters_file=batching_parameters_file)
    container = f"transfer-pipeline-{uuid.uuid4().hex}"
    real = dataclasses.replace(options, port=_free_port())
    command = real_server.command(real, container) if prefer_real else None
    if command is None:
        with _process(_local(options)) as process:
            yield address_of(process, seconds)
        return
    once = "--max_num_load_retries=0"  # by itself the binary tries five times more, a minute apart
    try:
        with _process([*command, once], _OF_THE_BINARY) as process:
            yield _available(process, real, seconds)
    finally:
        if container in command:
            real_server.remove(container)


@contextlib.contextmanager
def _process(
    command: list[str], environment: Mapping[str, str] = MappingProxyType({})
) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        tied(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        yield process
    finally:
        end(process)


def _local(options: ServeOptions) -> list[str]:
    command = [sys.executable, "-m", "serving.local_server", "--model-dir", str(options.model_dir)]
    command += ["--name", options.name, "--port", "0", "--rest-port", "0"]
    if options.batching_parameters_file is not None:
        command += ["--batching-parameters-file", str(options.batching_parameters_file)]
    return command


def address_of(process: subprocess.Popen[str], seconds: float = _START_SECONDS) -> str:
    """Reads the local server's lines until a version is available; returns HOST:PORT of gRPC.

    Args:
      process: the server, whose standard output is a pipe.
      seconds: after which it is killed.

    Raises:
      ServerFailed: no version became available.
    """
    output = process.stdout
    assert output is not None
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    said: list[str] = []
    address = ""
    try:
        for line in output:
            said.append(line.strip())
            if found := _LISTENING.search(line):
                address = found[1]
            if line.rstrip().endswith("is AVAILABLE"):
                # A reader that stopped here would block a server that keeps printing.
                threading.Thread(target=output.read, daemon=True).start()
                return address
            if "does not load" in line:
                break
    finally:
        timer.cancel()
    raise _failed(said)


def _available(process: subprocess.Popen[str], options: ServeOptions, seconds: float) -> str:
    """Asks TensorFlow Serving for its state until a version is available.

    Its ports open once it has loaded a version, so until then nothing answers; that it can't load
    one is in its log only.
    """
    from serving.client import Client, ClientError

    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)
    reader.start()
    address = f"{options.host}:{options.port}"
    until = time.monotonic() + seconds
    with Client(address, name=options.name, timeout=_ASK_SECONDS) as client:
        while process.poll() is None and not _faults(said):
            if time.monotonic() > until:
                last = said[-_LAST_LINES + 1 :]
                raise _failed([f"none within {seconds:g} s", *last])
            with contextlib.suppress(ClientError):
                states = client.status()
                if any(version.state == "AVAILABLE" for version in states):
                    return address
                if any(version.error for version in states):
                    raise _failed([version.error for version in states])
            time.sleep(_LOOK_SECONDS)
    reader.join(_ASK_SECONDS)  # a process that has ended may have said more than was read
    raise _failed(_faults(said)[:1] or said)


def _faults(said: list[str]) -> list[str]:
    """Why a version did not load, or the server not start, as TensorFlow Serving's log says it."""
    return [found[1] for line in list(said) if (found := _NOT_LOADED.search(line))]


def _failed(said: list[str]) -> ServerFailed:
    words = " / ".join(line.strip() for line in said[-_LAST_LINES:])
    return ServerFailed(f"The server has no version to serve: {words or 'silent'}")


def _free_port() -> int:
    """One that nothing listens on now; TensorFlow Serving takes none by itself."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
