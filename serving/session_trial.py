"""Whether a SavedModel can be served, found out by a session in a process of its own.

A model that ends its process ends that one (`serving.trial_worker`), and not the pipeline or the
command that asked. Importing TensorFlow is most of its time, so it can be started ahead, with a
model to load, and serves the model that it tried.
"""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving import child_process, trial_worker
from serving.trial_worker import ANSWER, NO_TENSORFLOW, Answer

_SECONDS = 600.0
_LAST_LINES = 3


class NotTried(Exception):
    """TensorFlow is not installed here, so nothing was found out."""


@dataclass(frozen=True)
class Trial:
    """The result of a SavedModel's trial in a session."""

    fault: str | None
    """The runtime's error; None: all signatures and warm-up requests ran."""
    answers: Mapping[str, list[Answer]]
    """By signature, the predictions for the pictures, of those signatures that take pictures."""


class TrialProcess:
    """A process that imports TensorFlow and waits for a model; to be closed, as by `with`.

    Args:
        ahead: a SavedModel to load at once; its first trial does not load it again.
    """

    def __init__(self, ahead: Path | None = None) -> None:
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._process = subprocess.Popen(
            child_process.tied([sys.executable, "-m", trial_worker.__name__]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )
        if ahead is not None:
            self._ask({"load": str(ahead)})

    def try_model(self, directory: Path, pictures: Sequence[bytes] = ()) -> Trial:
        """Loads a SavedModel in a session, and runs what it brings.

        That is: the saver's restore op and the init op, the warm-up requests, and every signature,
        on `pictures` or on zeros.

        Args:
            directory: the SavedModel.
            pictures: encoded and canonical; none: a small grey one.

        Raises:
            NotTried: TensorFlow is not installed.
        """
        sent = [base64.b64encode(picture).decode() for picture in pictures]
        late = threading.Event()

        def end() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(_SECONDS, end)
        timer.start()
        try:
            self._ask({"directory": str(directory), "pictures": sent})
            found = self._answer()
        finally:
            timer.cancel()
        if found is not None:
            return Trial(found["fault"], found["answers"])
        if late.is_set():
            return Trial(f"Loading it and asking it once took more than {_SECONDS:.0f} s", {})
        code = self._process.wait()
        if code == NO_TENSORFLOW:
            raise NotTried("TensorFlow is not installed here: install the extra `pipeline`.")
        return Trial(f"Loading it ended its process with exit code {code}: {self._last()}", {})

    @contextlib.contextmanager
    def serving(self, model_dir: Path, name: str) -> Iterator[str]:
        """Serves `model_dir` with the local server; yields HOST:PORT of gRPC.

        A version that was tried last is not loaded again: the server runs its session.

        Raises:
            ServerFailed: no version became available.
        """
        from serving.local_server.process import address_of

        self._ask({"serve": str(model_dir), "name": name})
        yield address_of(self._process)

    def close(self) -> None:
        """Ends the process, which has nothing to lose."""
        self._process.kill()
        self._process.communicate()
        self._said.close()

    def __enter__(self) -> TrialProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended, as its output says
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()

    def _answer(self) -> dict[str, Any] | None:
        """Reads the answer to a trial; None: the process ended before."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(ANSWER):
                found: dict[str, Any] = json.loads(line[len(ANSWER) :])
                return found
        return None

    def _last(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return " / ".join(lines[-_LAST_LINES:])


_ahead: list[TrialProcess] = []


@contextlib.contextmanager
def started_ahead(model: Path | None = None) -> Iterator[None]:
    """Has a process ready for the first `trial_process()` in this block, which loads `model`."""
    _ahead.append(TrialProcess(model))
    try:
        yield
    finally:
        while _ahead:
            _ahead.pop().close()


def trial_process() -> TrialProcess:
    """Returns a new process, or the one that was started ahead."""
    return _ahead.pop() if _ahead else TrialProcess()


def try_session(directory: Path, pictures: Sequence[bytes] = ()) -> Trial:
    """Tries one SavedModel as `TrialProcess.try_model` does."""
    with trial_process() as process:
        return process.try_model(directory, pictures)


def fault_of(directory: Path) -> str | None:
    """Returns why no session can serve a SavedModel; None where one can.

    Raises:
        NotTried: TensorFlow is not installed.
    """
    return try_session(directory).fault
