"""What one request may cost: docs/serving.md states the multiple of its size, and the constant."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest

from tests.checkout_tools import ROOT
from tests.serving.abuse import real_png
from tests.serving.server_process import ServerProcess
from tests.serving.tiny_model import export, predict_request

MAX_PIXELS = 1_000_000
_MB = 2**20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("bounded")
    export(folder / "1", max_pixels=MAX_PIXELS)
    process = ServerProcess(folder)
    process.wait_until_listening()
    process.wait_for_line("AVAILABLE")
    ask_by_json(process, b'{"instances": [{"b64": ""}]}')  # what the first one loads stays
    ask(process, predict_request([real_png(900)]))
    yield process
    process.kill()


def stated() -> tuple[int, int, int]:
    """The multiple, the constant in bytes, and the bytes per allowed pixel that the docs state."""
    text = " ".join((ROOT / "docs" / "serving.md").read_text().split())
    found = re.search(
        r"at most (\d+) times its own bytes, (\d+) MiB, and (\d+) bytes for each of `data.max_p",
        text,
    )
    assert found
    times, constant, each = map(int, found.groups())
    return times, constant * _MB, each


@contextlib.contextmanager
def peak(server: ServerProcess) -> Iterator[Callable[[], int]]:
    """Yields what returns the most bytes that the process held since, over what it held before."""
    folder = Path(f"/proc/{server.process.pid}")
    (folder / "clear_refs").write_text("5")  # the peak begins anew

    def held(name: str) -> int:
        line = re.search(rf"{name}:\s+(\d+) kB", (folder / "status").read_text())
        assert line
        return int(line[1]) * 1024

    before = held("VmRSS")
    yield lambda: held("VmHWM") - before


def ask(server: ServerProcess, request: object) -> int:
    """Sends a request by gRPC; returns its bytes, however it is answered."""
    service = server.predictions
    kind = service.Classify if isinstance(request, ClassificationRequest) else service.Predict
    with contextlib.suppress(grpc.RpcError):
        kind(request, timeout=120)
    return int(request.ByteSize())  # type: ignore[attr-defined]


def ask_by_json(server: ServerProcess, body: bytes, zipped: bool = False) -> int:
    """Sends a body by REST; returns its bytes as they are sent."""
    body = gzip.compress(body) if zipped else body
    headers = {"Content-Encoding": "gzip"} if zipped else {}
    address = f"http://127.0.0.1:{server.rest_port}/v1/models/classifier:predict"
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=120).read()
    return len(body)


def repeated(value: bytes, count: int) -> object:
    """A tensor that claims its one value so often."""
    request = predict_request([])
    proto = TensorProto(dtype=tf.string.as_datatype_enum, string_val=[value])
    proto.tensor_shape.dim.add(size=count)
    request.inputs["inputs"].CopyFrom(proto)
    return request


def in_context(size: int, count: int) -> ClassificationRequest:
    """Examples that share a feature."""
    request = ClassificationRequest()
    request.model_spec.name = "classifier"
    request.model_spec.signature_name = "serve_examples"
    shared = request.input.example_list_with_context
    feature = shared.context.features.feature["image/encoded"]
    feature.bytes_list.value.append(b"x" * size)
    for _ in range(count):
        shared.examples.add()
    return request


def instances(value: str, count: int) -> bytes:
    return f'{{"instances": [{",".join([value] * count)}]}}'.encode()


KINDS: dict[str, Callable[[ServerProcess], int]] = {
    "pictures over the limit": lambda to: ask(to, predict_request([real_png(9_000)] * 8)),
    "pictures at the limit": lambda to: ask(to, predict_request([real_png(1_000)] * 64)),
    "no pictures": lambda to: ask(to, predict_request([b"\xff\xd8\xff" + bytes(100_000)] * 64)),
    "empty strings that are claimed": lambda to: ask(to, repeated(b"", 16_000)),
    "a long string that is claimed": lambda to: ask(to, repeated(b"x" * 1_000_000, 75)),
    "a context that is copied": lambda to: ask(to, in_context(1_000_000, 60)),
    "many empty strings": lambda to: ask(to, predict_request([b""] * 500_000)),
    "lists": lambda to: ask_by_json(to, instances("[]", 1_000_000)),
    "objects": lambda to: ask_by_json(to, instances('{"":{}}', 300_000)),
    "numbers": lambda to: ask_by_json(to, instances("1.5", 1_000_000)),
    "escapes": lambda to: ask_by_json(to, instances('"\\u00e9\\ud83d\\ude00"', 200_000)),
    "texts": lambda to: ask_by_json(to, instances('"ab"', 1_000_000)),
    "base64": lambda to: ask_by_json(to, instances(json.dumps({"b64": "eA=="}), 150_000)),
    "much that is zipped": lambda to: ask_by_json(to, instances("[]", 30_000_000), zipped=True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_request_costs_no_more_than_is_stated(kind: str, server: ServerProcess) -> None:
    times, constant, each = stated()
    with peak(server) as cost:
        sent = KINDS[kind](server)
        found = cost()
    assert found <= times * sent + constant + each * MAX_PIXELS, f"{found:,} for {sent:,} bytes"
    assert server.predictions.Predict(predict_request([real_png(4)]), timeout=60).outputs
