"""The local server as a child process, for whoever needs one for a while."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_START_SECONDS = 300.0
_STOP_SECONDS = 40.0
_LISTENING = re.compile(r"gRPC on (\S+:\d+)")


class ServerFailed(Exception):
    """The server ended, or had no version to serve in time; the message has its last words."""


@contextlib.contextmanager
def serving(
    model_dir: Path, name: str = "classifier", seconds: float = _START_SECONDS
) -> Iterator[str]:
    """Serves `model_dir` on free loopback ports while the context lasts, whatever happens in it.

    Gives HOST:PORT of gRPC, once a version is available.

    Args:
      model_dir: the push directory.
      name: what requests call the model.
      seconds: how long a version may take to become available.

    Raises:
      ServerFailed: no version became available.
    """
    command = [sys.executable, "-m", "serving.local_server", "--model-dir", str(model_dir)]
    command += ["--name", name, "--port", "0", "--rest-port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        yield _address(process, process.stdout, seconds)
    finally:
        process.terminate()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
        finally:  # also on a second Ctrl-C during the wait
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[str], output: IO[str], seconds: float) -> str:
    """Reads the server's lines until a version is available."""
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
                # Whoever reads no further would block a server that goes on speaking.
                threading.Thread(target=output.read, daemon=True).start()
                return address
            if "does not load" in line:
                break
    finally:
        timer.cancel()
    raise ServerFailed(f"The server has no version to serve: {' / '.join(said[-5:]) or 'silent'}")
