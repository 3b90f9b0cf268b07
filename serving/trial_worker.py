"""The process that tries SavedModels for `serving.session_trial`: `python -m` this module.

It reads requests from standard input, a JSON document in a line each, and answers on standard
output.
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving import deferred_imports
from serving.api import Example
from serving.options import ServeOptions
from serving.quiet_imports import quiet_import
from serving.signatures import CLASSES, ENCODED, EXAMPLES, PICTURES, SCORES

if TYPE_CHECKING:
    import numpy as np
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

    from serving.local_server.servable import Servable

ANSWER = "tried: "
"""Begins the line that answers; libraries may print others."""
NO_TENSORFLOW = 3
"""The exit code where TensorFlow is not installed."""

Answer = tuple[list[str], list[float]]
"""A picture's classes and their scores, in the signature's order."""


def _run_all(servable: Servable, pictures: list[bytes]) -> dict[str, list[Answer]]:
    """Runs the signatures, whose errors are for the caller."""
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


class Tried:
    """The model that was tried last."""

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
        is_loaded = self._is_ahead and directory.resolve() == self._directory
        self._is_ahead = False
        try:
            if not is_loaded:
                self._load(directory)
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
        return NO_TENSORFLOW
    tried = Tried()
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
        print(ANSWER + json.dumps(answer), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
