"""Requests that claim more than they bring, that nobody waits for, or that are no requests."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis.input_pb2 import Input
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from serving.local_server import http_server
from serving.local_server import servable as servables
from serving.local_server import server as servers
from serving.local_server.errors import ServingError
from serving.local_server.examples import feed
from serving.local_server.http_server import HttpHandler
from serving.local_server.models import one_model
from serving.local_server.servable import Servable
from serving.local_server.server import LocalServer
from serving.local_server.tensors import from_proto
from tests.serving.samples import png
from tests.serving.server_process import ServerProcess, wait_until
from tests.serving.tiny_model import predict_request


@pytest.fixture
def server(saved_model: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    (tmp_path / "pushed").mkdir()
    (tmp_path / "pushed" / "1").symlink_to(saved_model)
    process = ServerProcess(tmp_path / "pushed")
    process.wait_until_listening()
    process.wait_for_line("AVAILABLE")
    yield process
    process.kill()


def claiming(count: int, value: bytes = b"") -> TensorProto:
    proto = TensorProto(dtype=tf.string.as_datatype_enum, string_val=[value])
    proto.tensor_shape.dim.add(size=count)
    return proto


@pytest.mark.parametrize(
    "proto", [claiming(2**24), claiming(100_000), claiming(2_000, b"x" * 100_000)]
)
def test_a_tensor_that_claims_more_than_came_is_refused(proto: TensorProto) -> None:
    with pytest.raises(ServingError, match="tensor parsing error: inputs claims .* send every"):
        from_proto("inputs", proto)


@pytest.mark.parametrize("dtype", [tf.string, tf.float32])
def test_more_dimensions_than_an_array_may_have_are_refused(dtype: tf.DType) -> None:
    proto = TensorProto(dtype=dtype.as_datatype_enum, string_val=[b"x"], float_val=[1])
    for _ in range(32):
        proto.tensor_shape.dim.add(size=1)
    assert from_proto("inputs", proto).ndim == 32
    proto.tensor_shape.dim.add(size=1)
    with pytest.raises(ServingError, match="tensor parsing error: inputs"):
        from_proto("inputs", proto)


def test_a_few_repeated_values_are_taken_as_tensorflow_does() -> None:
    assert from_proto("inputs", claiming(1_000, b"x")).tolist() == [b"x"] * 1_000
    sent = tf.make_tensor_proto(np.zeros([1_000, 1_000], np.float32))
    assert from_proto("inputs", sent).shape == (1_000, 1_000)


def test_a_context_that_is_copied_into_too_many_examples_is_refused() -> None:
    sent = Input()
    feature = sent.example_list_with_context.context.features.feature["image/encoded"]
    feature.bytes_list.value.append(b"x" * 1_000_000)
    for _ in range(1_000):
        sent.example_list_with_context.examples.add()
    with pytest.raises(ServingError, match="1000 examples is more than this server copies"):
        feed(None, sent)  # type: ignore[arg-type]


def test_many_rows_are_run_in_parts_until_their_client_leaves(
    saved_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servables, "MAX_ROWS", 2)
    servable = Servable("classifier", 1, saved_model)
    inputs = {"inputs": np.array([png()] * 5, object)}
    assert servable.run("serving_default", inputs)["scores"].shape == (5, 3)
    empty = {"inputs": np.array([], object)}
    assert servable.run("serving_default", empty)["scores"].shape == (0, 3)
    waits = iter([True, False])
    with pytest.raises(ServingError, match="no longer waits") as refused:
        servable.run("serving_default", inputs, awaited=lambda: next(waits))
    assert refused.value.code == grpc.StatusCode.CANCELLED


BAD_BODIES = [
    *(
        b'{"instances": ' + b"[" * depth + b'"x"' + b"]" * depth + b"}"
        for depth in (33, 64, 200, 300, 990, 5_000)
    ),
    b'{"instances": [' + b"9" * 5_000 + b"]}",  # more digits than Python reads
    b'{"signature_name": "busy", "inputs": 1e400}',
    b'{"signature_name": "busy", "inputs": ' + b"9" * 400 + b"}",
    b'{"signature_name": "\\ud800", "inputs": "x"}',
    b'{"instances": [{"b64": "\xff"}]}',
    b'{"instances": ["x"], "instances": 1',
    b"\xff\xfe{\0}\0",
    b"\x1f\x8b",
    b"null",
    b"",
]
"""Kinds of bodies that Python's own parsers, or NumPy, end with an error of their own."""


@contextlib.contextmanager
def busy(server: ServerProcess, count: int, seconds: float) -> Iterator[list[grpc.Future]]:
    request = PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "classifier", "busy"
    request.inputs["seconds"].CopyFrom(tf.make_tensor_proto(np.float32(seconds)))
    calls = [server.predictions.Predict.future(request) for _ in range(count)]
    yield calls
    for call in calls:
        call.cancel()


def test_a_server_answers_what_is_wrong_and_stays_well(server: ServerProcess) -> None:
    for body in BAD_BODIES:
        status, answer = server.rest("/v1/models/classifier:predict", body)
        assert (status, list(answer)) == (400, ["error"]), body[:40]
    request = predict_request([png()])
    request.inputs["inputs"].dtype = 1
    request.inputs["inputs"].tensor_shape.dim[0].size = -5
    with pytest.raises(grpc.RpcError) as refused:
        server.predictions.Predict(request)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "Traceback" not in server.log()
    health = health_pb2_grpc.HealthStub(server.channel)
    with busy(server, 70, 5.0):
        time.sleep(0.5)
        for _ in range(3):
            answer = health.Check(health_pb2.HealthCheckRequest(), timeout=2)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
            assert server.states() == {1: "AVAILABLE"}
    server.predictions.Predict(predict_request([png()]), timeout=60)


def test_a_client_that_ended_its_writing_waits_for_its_answer(server: ServerProcess) -> None:
    body = json.dumps({"signature_name": "busy", "inputs": 1.0}).encode()
    head = f"POST /v1/models/classifier:predict HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=60) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_client_waits_until_its_connection_is_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        served, _ = listener.accept()
    handler = HttpHandler.__new__(HttpHandler)
    handler.connection = served
    served.settimeout(60)  # which a read would wait for
    start = time.monotonic()
    assert handler.awaited()
    client.shutdown(socket.SHUT_WR)
    assert handler.awaited()
    assert time.monotonic() - start < 30
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()  # resets
    wait_until(lambda: not handler.awaited(), str)
    served.close()


def test_a_silent_grpc_connection_is_closed(
    saved_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = dict(servers._GRPC_OPTIONS)
    assert options["grpc.server_handshake_timeout_ms"] == http_server.SILENCE_SECONDS * 1000
    options["grpc.server_handshake_timeout_ms"] = 500
    monkeypatch.setattr(servers, "_GRPC_OPTIONS", tuple(options.items()))
    config = one_model("classifier", saved_model.parent)
    with (
        LocalServer(config, port=0, rest_port=0, announce=lambda _: None) as local,
        socket.create_connection(("127.0.0.1", local.port), timeout=60) as connection,
    ):
        while connection.recv(4096):  # its settings, then the end
            pass


@pytest.mark.slow
def test_sigterm_ends_within_the_grace_whatever_is_run(server: ServerProcess) -> None:
    with busy(server, 2, 600.0):
        time.sleep(1.0)
        start = time.monotonic()
        assert server.stop(signal.SIGTERM) == 0
        assert 25.0 < time.monotonic() - start < 40.0
