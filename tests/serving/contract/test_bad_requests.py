"""Requests that should never come: each gets its code, and leaves nothing behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from tests.serving.contract.test_classify import classification, example
from tests.serving.samples import encode, jpeg, png
from tests.serving.server_process import ServerAt, ServerProcess
from tests.serving.tiny_model import busy_request, predict_request

RED = png(Image.new("RGB", (8, 8), "red"))
PREDICT = "/tensorflow.serving.PredictionService/Predict"
NOISE = np.random.default_rng(0).bytes(40 * 2**20)

INVALID, MISSING = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
Case = tuple[Callable[[ServerAt], object], grpc.StatusCode]


def predicting(change: Callable[[PredictRequest], object]) -> Callable[[ServerAt], object]:
    def ask(server: ServerAt) -> object:
        request = predict_request([RED])
        change(request)
        return server.predictions.Predict(request, timeout=60)

    return ask


def classifying(change: Callable[[ClassificationRequest], object]) -> Callable[[ServerAt], object]:
    def ask(server: ServerAt) -> object:
        request = classification(example("red"))
        change(request)
        return server.predictions.Classify(request, timeout=60)

    return ask


def sending(*pictures: bytes) -> Callable[[ServerAt], object]:
    return lambda server: server.predictions.Predict(predict_request(pictures), timeout=60)


def tensor(value: object, **options: object) -> Callable[[ServerAt], object]:
    proto = tf.make_tensor_proto(value, **options)
    return predicting(lambda request: request.inputs["inputs"].CopyFrom(proto))


def raw(data: bytes) -> Callable[[ServerAt], object]:
    """Bytes that need not be a PredictRequest."""
    return lambda server: server.channel.unary_unary(PREDICT)(data, timeout=60)


def streamed(*messages: bytes) -> Callable[[ServerAt], object]:
    """A stream where one message belongs; none at all is a stream that is half closed at once."""
    return lambda server: server.channel.stream_unary(PREDICT)(iter(messages), timeout=10)


def cancelled(server: ServerAt) -> object:
    call = server.predictions.Predict.future(busy_request(0.5))
    call.cancel()
    return call.result()


def large(side: int) -> bytes:
    """A PNG that claims more pixels than its few bytes hold."""
    data = bytearray(RED)
    data[16:24] = side.to_bytes(4, "big") * 2
    return bytes(data)


CASES: dict[str, Case] = {
    "floats": (tensor([0.5]), INVALID),
    "integers": (tensor([1, 2]), INVALID),
    "booleans": (tensor([True]), INVALID),
    "a tensor of a million floats": (tensor(np.zeros(10**6, np.float32)), INVALID),
    "a scalar": (tensor(RED), INVALID),
    "a matrix": (tensor([[RED]]), INVALID),
    "no dtype": (predicting(lambda r: r.inputs["inputs"].ClearField("dtype")), INVALID),
    "a negative size": (
        predicting(lambda r: setattr(r.inputs["inputs"].tensor_shape.dim[0], "size", -5)),
        INVALID,
    ),
    "more elements than sent": (
        predicting(lambda r: setattr(r.inputs["inputs"].tensor_shape.dim[0], "size", 2**40)),
        INVALID,
    ),
    "another key": (
        predicting(lambda r: r.inputs["images"].CopyFrom(r.inputs.pop("inputs"))),
        INVALID,
    ),
    "one key more": (predicting(lambda r: r.inputs["x"].SetInParent()), INVALID),
    "no key": (predicting(lambda r: r.inputs.clear()), INVALID),
    "an unknown output": (predicting(lambda r: r.output_filter.append("x")), INVALID),
    "an output twice": (predicting(lambda r: r.output_filter.extend(["scores"] * 2)), INVALID),
    "no model_spec": (predicting(lambda r: r.ClearField("model_spec")), INVALID),
    "no name": (predicting(lambda r: r.model_spec.ClearField("name")), INVALID),
    "another name": (predicting(lambda r: setattr(r.model_spec, "name", "x" * 5000)), MISSING),
    "version 0": (predicting(lambda r: setattr(r.model_spec.version, "value", 0)), MISSING),
    "version -1": (predicting(lambda r: setattr(r.model_spec.version, "value", -1)), MISSING),
    "a label": (predicting(lambda r: setattr(r.model_spec, "version_label", "x")), INVALID),
    "a signature": (
        predicting(lambda r: setattr(r.model_spec, "signature_name", "x")),
        PRECONDITION,
    ),
    "an empty picture": (sending(b""), INVALID),
    "no picture": (sending(b"no picture"), INVALID),
    "40 MB of noise": (sending(NOISE), INVALID),
    "a truncated PNG": (sending(RED[:-30]), INVALID),
    "a truncated JPEG": (sending(jpeg()[:400]), INVALID),
    "a truncated GIF": (sending(encode(Image.new("P", (8, 8)), "GIF")[:-8]), INVALID),
    "a truncated BMP": (sending(encode(Image.new("RGB", (8, 8)), "BMP")[:-100]), INVALID),
    "a PNG that claims 2**31 rows": (sending(large(2**31 - 1)), INVALID),
    "a JPEG's head alone": (sending(b"\xff\xd8\xff\xe0"), INVALID),
    "a broken one among good ones": (sending(*[RED] * 5, b"x"), INVALID),
    "empty input": (classifying(lambda r: r.ClearField("input")), INVALID),
    "an Example without a picture": (
        classifying(lambda r: r.input.example_list.examples[0].Clear()),
        INVALID,
    ),
    "an Example of floats": (
        classifying(
            lambda r: (
                r.input.example_list.examples[0]
                .features.feature["image/encoded"]
                .float_list.value.append(1)
            )
        ),
        INVALID,
    ),
    "Classify on an unknown signature": (
        classifying(lambda r: setattr(r.model_spec, "signature_name", "x")),
        INVALID,
    ),
    "Classify without a name": (classifying(lambda r: r.model_spec.ClearField("name")), INVALID),
    "status without model_spec": (
        lambda server: server.models.GetModelStatus(GetModelStatusRequest()),
        INVALID,
    ),
    "a deadline in the past": (
        lambda server: server.predictions.Predict(predict_request([RED]), timeout=-1),
        grpc.StatusCode.DEADLINE_EXCEEDED,
    ),
    "a deadline too near": (
        lambda server: server.predictions.Predict(busy_request(0.5), timeout=0.05),
        grpc.StatusCode.DEADLINE_EXCEEDED,
    ),
    "an unknown method": (
        lambda server: server.channel.unary_unary(PREDICT + "s")(b"", timeout=10),
        grpc.StatusCode.UNIMPLEMENTED,
    ),
    "two empty messages": (streamed(b"", b""), INVALID),
    "a half-closed stream": (streamed(), grpc.StatusCode.UNIMPLEMENTED),
    "bytes that are no message": (raw(b"\xff" * 1000), grpc.StatusCode.INTERNAL),
}


@pytest.fixture(scope="module", autouse=True)
def memory_comes_back(server: ServerAt) -> Iterator[None]:
    """Afterwards the process holds what it held, once it had answered every kind of request.

    Between two rounds of all of them it goes up and down by 50 MB, for the allocators' reasons, and
    does so only while it is asked; what is kept would add up with each further round.
    """
    before = held_after_all(server)  # the first of a kind loads code and fills allocators
    yield
    held = [held_after_all(server) for _ in range(3)]
    end = time.monotonic() + 30
    while held[-1] > before + 60 * 2**20 and time.monotonic() < end:
        held.append(held_after_all(server))
    assert held[-1] <= before + 60 * 2**20, held  # of 120 MB of noise or more since


def held_after_all(server: ServerAt) -> int:
    """Bytes that a server holds, once it has refused every kind of request once more."""
    for ask, _ in CASES.values():
        with pytest.raises((grpc.RpcError, grpc.FutureCancelledError)):
            ask(server)
    return resident(server)


def resident(server: ServerAt) -> int:
    """Bytes of a server on this machine; 0 of one elsewhere."""
    if not isinstance(server, ServerProcess):
        return 0
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("case", CASES)
def test_each_bad_request_gets_its_code_and_the_next_an_answer(case: str, server: ServerAt) -> None:
    ask, code = CASES[case]
    with pytest.raises(grpc.RpcError) as refused:
        ask(server)
    assert refused.value.code() == code, refused.value.details()
    assert server.predictions.Predict(predict_request([RED]), timeout=30).outputs["scores"]


def test_a_cancelled_request_is_over_at_once(server: ServerAt) -> None:
    start = time.monotonic()
    with pytest.raises(grpc.FutureCancelledError):
        cancelled(server)
    assert time.monotonic() - start < 5
    assert server.predictions.Predict(predict_request([RED]), timeout=30).outputs["scores"]


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 30
