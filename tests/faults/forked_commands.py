"""Commands as forks of one process that has imported TFX: a start costs no imports.

`python -m tests.faults.forked_commands` reads a command per line of standard input, as JSON, and
answers each with a line: its exit code, negative for a signal, and what of its processes lives.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.launch import environment

_ROOT = Path(__file__).parents[2]


@dataclasses.dataclass(frozen=True)
class Death:
    """A signal that a command sends itself in a node."""

    node: str
    number: int
    when: str
    """`before` or `after` the node's work; else a call `MODULE:NAME`, which has just returned."""


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    """Negative: the signal."""
    left: bool
    """Whether a process of its session lived on."""
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

    def run(self, *words: str, death: Death | None = None, limit: int | None = None) -> Ended:
        """Runs one command to its end.

        Args:
          words: the command's.
          death: where it is killed.
          limit: of a file's size, in bytes.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        asked = {"words": words, "death": death and dataclasses.asdict(death), "limit": limit}
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
        print(json.dumps({"code": _code(status), "left": _lives_on(process)}), flush=True)


def _code(status: int) -> int:
    return os.waitstatus_to_exitcode(status)


def _lives_on(session: int) -> bool:
    """Whether the session of a command still has a process after two seconds."""
    for _ in range(40):
        try:
            os.killpg(session, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True


def _become(asked: dict[str, Any], out: str, err: str) -> None:
    os.setsid()
    for descriptor, path in ((0, os.devnull), (1, out), (2, err)):
        flags = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open(path, flags), descriptor)
    if asked["limit"]:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["limit"], asked["limit"]))
    if asked["death"]:
        _die(Death(**asked["death"]))
    sys.argv = ["transfer-pipeline", *asked["words"]]
    from pipeline.cli import main

    main()


def _die(death: Death) -> None:
    """Lets this process send itself a signal in the node."""
    from pipeline.launch.node_launcher import Launcher

    def send() -> None:
        os.kill(os.getpid(), death.number)

    launch, run_executor = Launcher.launch, Launcher._run_executor

    def launching(self: Any) -> Any:
        if self._pipeline_node.node_info.id == death.node:
            if self._system_node_handler:  # it has no executor
                send()
            elif ":" in death.when:
                _send_after(death.when, send)
        return launch(self)

    def running(self: Any, execution: Any) -> Any:
        here = self._pipeline_node.node_info.id == death.node
        if here and death.when == "before":
            send()
        done = run_executor(self, execution)
        if here and death.when == "after":
            send()
        return done

    Launcher.launch, Launcher._run_executor = launching, running  # type: ignore[method-assign]


def _send_after(call: str, send: Any) -> None:
    module, _, name = call.partition(":")
    owner: Any = importlib.import_module(module)
    *classes, last = name.split(".")
    for each in classes:
        owner = getattr(owner, each)
    original = getattr(owner, last)

    def sending(*arguments: Any, **named: Any) -> Any:
        done = original(*arguments, **named)
        send()
        return done

    setattr(owner, last, sending)


if __name__ == "__main__":
    environment.prepare()
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with environment.heavy_imports():
        from pipeline import definition, local_runner  # noqa: F401
        from pipeline.commands import failed_report, run_config  # noqa: F401
        from pipeline.store import killed_runs  # noqa: F401
    _serve(*sys.argv[1:])
