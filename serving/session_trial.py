"""Whether a SavedModel can be served, found out by a session in a process of its own.

A model that ends its process ends this one, and not the pipeline or the command that asked.
`python -m serving.session_trial` is that process. Importing TensorFlow is most of its time, so it
can be started ahead, with a model to load, and serves the model that it tried.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving import child_process, deferred_imports
from serving.api import Example
from serving.options import ServeOptions
from serving.quiet_imports import quiet_import
from serving.signatures import CLASSES, ENCODED, EXAMPLES, PICTURES, SCORES

if TYPE_CHECKING:
    import numpy as np
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

    from serving.local_server.servable import Servable

_SECONDS = 600.0
_LAST_LINES = 3
_NO_TENSORFLOW = 3  # exit code

Answer = tuple[list[str], list[float]]
"""A picture's classes and their scores, in the signature's order."""


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
            child_process.tied([sys.executable, "-m", __name__]),
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
        if code == _NO_TENSORFLOW:
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
            if line.startswith(_ANSWER):
                found: dict[str, Any] = json.loads(line[len(_ANSWER) :])
                return found
        return None

    def _last(self) -> str:
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return " / ".join(lines[-_LAST_LINES:])


_ANSWER = "tried: "  # begins the line that answers; libraries may print others

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


def _run_all(servable: Servable, pictures: list[bytes]) -> dict[str, list[Answer]]:
    """In the new process: runs the signatures, whose errors are for the caller."""
    answers = {}
    for name, signature in servable.signatures.items():
        inputs = _inputs(name, signature, pictures)
        if inputs is None:
            continue
        outputs = servable.run(name, inputs)
        if name in (PICTURES, EXAMPLES) and {CLASSES, SCORES} <= outputs.keys():
            answers[name] = _answers(outputs)
    return answers


def _inputs(
    name: str, signature: SignatureDef, pictures: list[bytes]
) -> dict[str, np.ndarray] | None:
    """Returns the inputs to try a signature with; None: it takes strings of an unknown form."""
    import numpy as np
    import tensorflow as tf

    made = {}
    for alias, info in signature.inputs.items():
        dtype = tf.as_dtype(info.dtype)
        if dtype == tf.string:
            if name not in (PICTURES, EXAMPLES):
                return None
            strings = pictures if name == PICTURES else list(map(_example, pictures))
            made[alias] = np.array(strings, object)
        else:
            shape = [max(1, dim.size) for dim in info.tensor_shape.dim]
            made[alias] = np.zeros(shape, dtype.as_numpy_dtype)
    return made if signature.outputs and signature.method_name else None


def _example(picture: bytes) -> bytes:
    example = Example()
    example.features.feature[ENCODED].bytes_list.value.append(picture)
    serialized: bytes = example.SerializeToString()
    return serialized


def _answers(outputs: Mapping[str, np.ndarray]) -> list[Answer]:
    rows = zip(outputs[CLASSES].tolist(), outputs[SCORES].tolist(), strict=True)
    return [([name.decode(errors="replace") for name in classes], s) for classes, s in rows]


def _grey() -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (32, 32), "grey").save(file, "PNG")
    return file.getvalue()


class _Tried:
    """In the new process: the model that was tried last."""

    def __init__(self) -> None:
        self._servable: Servable | None = None
        self._directory = Path()
        self._is_ahead = False  # loaded and not tried

    def load_ahead(self, directory: Path) -> None:
        """Loads a model before it is tried; where that fails, the trial says so."""
        with contextlib.suppress(Exception):
            self._load(directory)
            self._is_ahead = True

    def answer(self, directory: Path, pictures: list[bytes]) -> dict[str, Any]:
        """Loads and runs a model; returns `fault` and `answers` of its Trial."""
        found: dict[str, Any] = {"fault": None, "answers": {}}
        try:
            if not (self._is_ahead and directory.resolve() == self._directory):
                self._load(directory)
            self._is_ahead = False
            assert self._servable is not None
            found["answers"] = _run_all(self._servable, pictures or [_grey()])
        except Exception as error:  # a model can fail in many ways
            from serving.local_server.errors import ServingError

            fault = ServingError.of(error)
            found["fault"] = " ".join(f"{fault.code.name}: {fault.message}".split())
            self._forget()
        return found

    def load(self, name: str, number: int, path: Path) -> Servable:
        """Returns the version in a folder, which is loaded where it was not tried."""
        from serving.local_server.manager import load

        servable, self._servable = self._servable, None
        if servable is None or path.resolve() != self._directory:
            return load(name, number, path)
        servable.name, servable.version = name, number
        return servable

    def _load(self, directory: Path) -> None:
        from serving.local_server.manager import load

        self._forget()
        self._servable, self._directory = load("model", 1, directory), directory.resolve()

    def _forget(self) -> None:
        if self._servable is not None:
            self._servable.close()
        self._servable = None


def main() -> int:
    """Answers the requests on standard input, a JSON document in a line each, until it ends."""
    deferred_imports.defer(*deferred_imports.TENSORFLOW)
    try:
        with quiet_import(), deferred_imports.without("keras"):
            import tensorflow  # noqa: F401

            from serving.local_server import serve
    except ModuleNotFoundError:
        return _NO_TENSORFLOW
    tried = _Tried()
    for line in sys.stdin:
        request = json.loads(line)
        if "serve" in request:
            serve(ServeOptions(Path(request["serve"]), request["name"], 0, 0), tried.load)
            break
        if "load" in request:
            tried.load_ahead(Path(request["load"]))
            continue
        pictures = [base64.b64decode(text) for text in request["pictures"]]
        answer = tried.answer(Path(request["directory"]), pictures)
        print(_ANSWER + json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
