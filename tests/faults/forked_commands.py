"""Commands as forks of one process that has imported TFX: a start costs no imports.

`python -m tests.faults.forked_commands OUT ERR` reads a command per line of standard input, as
JSON, and answers each with a line: its exit code, negative for a signal, and what of it lives on.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from components.retries import waited_until
from pipeline.launch import environment
from tests.e2e.killed_at import at_call

_ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True)
class Fault:
    """What happens to a command in one of its nodes."""

    node: str
    when: str
    """`before` or `after` the node's executor; else a call in it, as `killed_at` names them."""
    signal: int
    """That the process gets."""


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    """Negative: the signal."""
    left: list[str]
    """Processes of its session that live on."""
    stdout: str
    stderr: str

    @property
    def result(self) -> dict[str, Any]:
        """What programs read."""
        found: dict[str, Any] = json.loads(self.stdout.splitlines()[-1])
        return found


class Commands:
    """Starts commands, one after the other."""

    def __init__(self, folder: Path):
        """Starts the process that they are forks of.

        Args:
          folder: of what they print, and of their temporary files.
        """
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self._out, self._err = folder / "stdout", folder / "stderr"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forked_commands", str(self._out), str(self._err)],
            cwd=_ROOT,
            env={**os.environ, "TMPDIR": str(self.temporary)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def end(self) -> None:
        """Ends the process."""
        self._process.communicate()

    def run(
        self, *words: str, fault: Fault | None = None, largest_file: int | None = None
    ) -> Ended:
        """Runs one command to its end.

        Args:
          words: the command's.
          fault: what happens to it.
          largest_file: no file may grow over so many bytes (RLIMIT_FSIZE).
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        asked = {
            "words": words,
            "fault": fault and dataclasses.asdict(fault),
            "largest_file": largest_file,
        }
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return Ended(**told, stdout=self._out.read_text(), stderr=self._err.read_text())


@contextlib.contextmanager
def commands(folder: Path) -> Iterator[Commands]:
    """Yields what starts commands."""
    started = Commands(folder)
    try:
        yield started
    finally:
        started.end()


def _serve(out: str, err: str) -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        process = os.fork()
        if process == 0:
            _become(asked, out, err)
            return
        _, status = os.waitpid(process, 0)
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps({"code": code, "left": _left(process)}), flush=True)


def _left(session: int) -> list[str]:
    """Returns what of a session lives on after two seconds."""
    waited_until(lambda: not _living(session), 2, 0.05)
    return _living(session)


def _living(session: int) -> list[str]:
    """Returns the names of a session's processes that live on."""
    found = []
    for state in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            start, _, rest = state.read_text().rpartition(")")
            what, _, _, its_session, *_ = rest.split()
            if int(its_session) == session and what != "Z":
                found.append(start.partition("(")[2])
    return found


def _become(asked: dict[str, Any], out: str, err: str) -> None:
    """Becomes the command; returns, or exits, as it does."""
    os.setsid()
    for descriptor, path in ((0, os.devnull), (1, out), (2, err)):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(path, flags), descriptor)
    if asked["largest_file"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest_file"],) * 2)
    if asked["fault"]:
        _arrange(Fault(**asked["fault"]))
    sys.argv = ["transfer-pipeline", *asked["words"]]
    from pipeline.cli import main

    main()


def _arrange(fault: Fault) -> None:
    """Lets the fault happen to this process in the node."""
    from pipeline.launch.node_launcher import Launcher

    launch, run_executor = Launcher.launch, Launcher._run_executor

    def happen() -> None:
        os.kill(os.getpid(), fault.signal)

    def launching(self: Any) -> Any:
        here = self._pipeline_node.node_info.id == fault.node
        if here and self._system_node_handler:  # it has no executor
            happen()
        elif here and ":" in fault.when:
            at_call(fault.when, happen)
        return launch(self)

    def running(self: Any, execution: Any) -> Any:
        here = self._pipeline_node.node_info.id == fault.node
        if here and fault.when == "before":
            happen()
        try:
            return run_executor(self, execution)
        finally:
            if here and fault.when == "after":
                happen()

    Launcher.launch, Launcher._run_executor = launching, running  # type: ignore[method-assign]


if __name__ == "__main__":
    environment.prepare()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's `&` lets it be ignored
    with environment.heavy_imports():
        from pipeline import definition, local_runner  # noqa: F401
        from pipeline.commands import failed_report, run_config  # noqa: F401
        from pipeline.store import changed_outputs, killed_runs  # noqa: F401
    _serve(*sys.argv[1:])
