"""Child processes that end when this process ends, also by `kill -9`."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence

_STOP_SECONDS = 40.0

_STARTER = """
import ctypes, os, signal, sys
parent, command = int(sys.argv[1]), sys.argv[2:]
ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG, which outlives exec
if os.getppid() == parent:
    os.execvp(command[0], command)
"""


def tied(command: Sequence[str]) -> list[str]:
    """Returns the command with a starter before it, by which it ends when this process does.

    The kernel sends SIGTERM to the command when the thread that started it ends, so the caller
    must wait for the command in the thread in which it starts it. The process id stays the
    same. Only Linux knows this; elsewhere the command is returned as it is.
    """
    if not sys.platform.startswith("linux"):
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _STARTER, str(os.getpid()), *command]


def end(process: subprocess.Popen[str]) -> None:
    """Ends a process: politely, and after 40 seconds, or on a second Ctrl-C, by force."""
    process.terminate()
    try:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    finally:
        process.kill()
        process.wait()
