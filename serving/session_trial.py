"""Whether a SavedModel can be served, found out by a session in a process of its own.

A model that ends its process ends this one, and not the pipeline or the command that asked.
`python -m serving.session_trial DIR` is that process.
"""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.child_process import tied
from serving.quiet_imports import quiet_import

if TYPE_CHECKING:
    import numpy as np
    from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

PICTURES, EXAMPLES = "serving_default", "serve_examples"
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


def try_session(directory: Path, pictures: Sequence[bytes] = ()) -> Trial:
    """Loads a SavedModel in a session of a new process, and runs what it brings.

    That is: the saver's restore op and the init op, the warm-up requests, and every signature, on
    `pictures` or on zeros.

    Args:
        directory: the SavedModel.
        pictures: encoded and canonical; none: a small grey one.

    Raises:
        NotTried: TensorFlow is not installed.
    """
    sent = json.dumps([base64.b64encode(picture).decode() for picture in pictures])
    command = tied([sys.executable, "-m", __name__, str(directory)])
    try:
        done = subprocess.run(command, input=sent, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        return Trial(f"Loading it and asking it once took more than {_SECONDS:.0f} s", {})
    if done.returncode == _NO_TENSORFLOW:
        raise NotTried("TensorFlow is not installed here: install the extra `pipeline`.")
    if done.returncode != 0:
        said = " / ".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
        return Trial(f"Loading it ended its process with exit code {done.returncode}: {said}", {})
    found = json.loads(done.stdout.splitlines()[-1])
    return Trial(found["fault"], found["answers"])


def fault_of(directory: Path) -> str | None:
    """Returns why no session can serve a SavedModel; None where one can.

    Raises:
        NotTried: TensorFlow is not installed.
    """
    return try_session(directory).fault


def _run_all(directory: Path, pictures: list[bytes]) -> dict[str, list[Answer]]:
    """In the new process: runs warm-up and signatures, whose errors are for the caller."""
    from serving.local_server.servable import Servable
    from serving.local_server.warmup import warm_up

    servable = Servable("model", 1, directory)
    warm_up(servable, directory)
    answers = {}
    for name, signature in servable.signatures.items():
        inputs = _inputs(name, signature, pictures)
        if inputs is None:
            continue
        outputs = servable.run(name, inputs)
        if name in (PICTURES, EXAMPLES) and {"classes", "scores"} <= outputs.keys():
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
    from tensorflow.core.example.example_pb2 import Example

    example = Example()
    example.features.feature["image/encoded"].bytes_list.value.append(picture)
    serialized: bytes = example.SerializeToString()
    return serialized


def _answers(outputs: Mapping[str, np.ndarray]) -> list[Answer]:
    rows = zip(outputs["classes"].tolist(), outputs["scores"].tolist(), strict=True)
    return [([name.decode(errors="replace") for name in classes], s) for classes, s in rows]


def _grey() -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (32, 32), "grey").save(file, "PNG")
    return file.getvalue()


def main() -> int:
    """Tries the SavedModel in the folder named first; pictures come as JSON on standard input."""
    pictures = [base64.b64decode(text) for text in json.load(sys.stdin)] or [_grey()]
    try:
        with quiet_import():
            import tensorflow  # noqa: F401
    except ModuleNotFoundError:
        return _NO_TENSORFLOW
    found: dict[str, Any] = {"fault": None, "answers": {}}
    try:
        found["answers"] = _run_all(Path(sys.argv[1]), pictures)
    except Exception as error:  # a model can fail in many ways
        from serving.local_server.errors import ServingError

        fault = ServingError.of(error)
        found["fault"] = " ".join(f"{fault.code.name}: {fault.message}".split())
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
