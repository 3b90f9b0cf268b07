from __future__ import annotations

import io
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from tensorflow_serving.apis.prediction_service_pb2_grpc import (
    PredictionServiceServicer,
    add_PredictionServiceServicer_to_server,
)

from serving.client import (
    Client,
    DeadlineExceeded,
    ModelNotFound,
    PictureRefused,
    RequestRefused,
    ServerBusy,
    ServerUnavailable,
    TensorSpec,
    VersionStatus,
)
from tests.explains import refused
from tests.serving.conftest import VERSION
from tests.serving.samples import encode, exif, half_transparent, jpeg, png
from tests.serving.server_process import ServerProcess

STARTED = {
    "allowed": r"gRPC port \(8500 unless set, not the REST port 8501\)",
    "next": "Start one with `transfer-pipeline serve --model-dir DIR`, or give the address",
}
SMALLER = {
    "allowed": "`max_message_bytes`",
    "next": "Send smaller pictures, or raise that limit on the server",
}
COLOURS = {"red": (250, 5, 5), "green": (5, 250, 5), "blue": (5, 5, 250)}


def picture(colour: str, size: int = 8) -> Image.Image:
    return Image.new("RGB", (size, size), COLOURS[colour])


@pytest.fixture
def client(server: ServerProcess) -> Iterator[Client]:
    with Client(server.address) as client:
        yield client


@pytest.fixture
def nowhere() -> str:
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


def test_bytes_paths_and_files_are_answered_in_order(client: Client, tmp_path: Path) -> None:
    (tmp_path / "green.png").write_bytes(png(picture("green")))
    sources = [
        png(picture("red")),
        tmp_path / "green.png",
        io.BytesIO(jpeg(picture("blue"))),
    ]
    answers = client.classify(sources)
    assert [answer.classes[0] for answer in answers] == ["red", "green", "blue"]
    for answer in answers:
        assert sorted(answer.classes) == sorted(COLOURS)
        assert list(answer.scores) == sorted(answer.scores, reverse=True)
        assert sum(answer.scores) == pytest.approx(1.0, abs=1e-6)


def test_the_answer_is_the_model_s_own(client: Client, saved_model: Path) -> None:
    signature = tf.saved_model.load(str(saved_model)).signatures["serving_default"]
    expected = signature(inputs=tf.constant([png()]))["scores"].numpy()[0]
    np.testing.assert_allclose(client.classify([png()])[0].scores, expected, atol=1e-6)


@pytest.mark.parametrize(
    "data",
    [
        encode(picture("red"), "WEBP", lossless=True),
        encode(picture("red"), "TIFF"),
        encode(picture("red").convert("CMYK"), "JPEG"),
        encode(half_transparent(), "PNG"),
        encode(picture("red"), "JPEG", exif=exif(6)),
    ],
)
def test_pictures_that_the_graph_cannot_decode_are_made_canonical(
    data: bytes, client: Client
) -> None:
    assert len(client.classify([data])) == 1


@pytest.mark.parametrize("limits", [{"max_pictures": 2}, {"max_bytes": 150}, {}])
def test_batches_of_any_size_are_answered_in_order(
    limits: dict[str, int], server: ServerProcess
) -> None:
    names = ["red", "green", "blue", "blue", "red"] * 9
    with Client(server.address, **limits) as client:
        answers = client.classify(png(picture(name)) for name in names)
    assert [answer.classes[0] for answer in answers] == names


def test_nothing_asked_is_nothing_answered(client: Client) -> None:
    assert client.classify([]) == []


def test_a_picture_over_4_mib_is_answered(client: Client) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8)
    assert len(client.classify([png(Image.fromarray(noise))])) == 1


def test_a_refused_picture_is_named_and_stops_classify(client: Client, tmp_path: Path) -> None:
    (tmp_path / "cut.jpg").write_bytes(jpeg()[:-300])
    kinds = {"allowed": "JPEG, PNG, GIF, BMP, WebP or TIFF", "next": "Send a"}
    with refused(PictureRefused, found=r"cut\.jpg: truncated or damaged", **kinds) as told:
        client.classify([png(), tmp_path / "cut.jpg"])
    assert told.value.file == str(tmp_path / "cut.jpg")
    with refused(PictureRefused, found="picture 2: empty file", **kinds):
        client.classify([png(), b""])
    with refused(PictureRefused, found="No such file", **kinds):
        client.classify([tmp_path / "missing.png"])


def test_what_is_no_source_is_a_mistake_of_the_caller(client: Client) -> None:
    for source in ("picture.png", io.StringIO("text"), 7):
        with pytest.raises(TypeError, match="pathlib.Path"):
            client.classify([source])


def test_addresses_are_not_fetched(client: Client) -> None:
    with pytest.raises(TypeError, match="download it"):
        client.classify(["https://example.org/cat.jpg"])


def test_classify_each_goes_on_past_refused_pictures(client: Client, tmp_path: Path) -> None:
    sources = [png(picture("red")), b"no picture", tmp_path / "missing.png", png(picture("blue"))]
    first, second, third, fourth = client.classify_each(sources)
    assert (first.classes[0], fourth.classes[0]) == ("red", "blue")
    assert isinstance(second, PictureRefused) and second.reason.startswith("not a picture")
    assert isinstance(third, PictureRefused) and third.file.endswith("missing.png")


def test_status_and_metadata_are_plain_values(client: Client) -> None:
    assert client.status() == [VersionStatus(VERSION, "AVAILABLE", "")]
    signature = client.metadata()["serving_default"]
    assert signature.inputs == {"inputs": TensorSpec("DT_STRING", (-1,))}
    assert signature.outputs == {
        "classes": TensorSpec("DT_STRING", (-1, 3)),
        "scores": TensorSpec("DT_FLOAT", (-1, 3)),
    }


def test_a_version_can_be_asked_for(server: ServerProcess) -> None:
    with Client(server.address, version=VERSION) as client:
        assert len(client.classify([png()])) == 1


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"name": "m"}, r"Latest\(m\)"),
        ({"version": 7}, r"Specific\(classifier, 7\)"),
        ({"label": "x"}, "version label: x"),
    ],
)
def test_what_is_not_served_is_told_apart(
    asked: dict[str, Any], message: str, server: ServerProcess
) -> None:
    served = {
        "allowed": "a name, version and label",
        "next": "`Client.status` lists",
    }
    with Client(server.address, **asked) as client, refused(ModelNotFound, found=message, **served):
        client.classify([png()])


def test_an_absent_server_is_told_with_what_to_do(nowhere: str) -> None:
    absent = refused(ServerUnavailable, found=f"No server answers at {nowhere}", **STARTED)
    with Client(nowhere) as client, absent:
        client.classify([png()])


def test_the_rest_port_is_no_grpc_port(server: ServerProcess) -> None:
    address = f"127.0.0.1:{server.rest_port}"
    silent = refused(ServerUnavailable, found=f"No server answers at {address}", **STARTED)
    with Client(address) as client, silent:
        client.status()


def test_a_slow_server_is_given_up_at_the_deadline(server: ServerProcess) -> None:
    late = refused(
        DeadlineExceeded,
        found="did not answer within 1e-06 s",
        allowed=r"more time \(`timeout`\)",
        next="ask for fewer pictures",
    )
    with Client(server.address, timeout=1e-6) as client, late:
        client.classify([png()])


class Moody(PredictionServiceServicer):
    """A server that fails as told, by the number of the call and the pictures sent."""

    def __init__(
        self,
        failure: Callable[[int, list[bytes]], grpc.StatusCode | None],
        words: str = "as told\n\t [[{{node map/while/DecodeImage}}]]",
    ) -> None:
        self.failure = failure
        self.words = words
        self.calls = 0

    def Predict(self, request: PredictRequest, context: grpc.ServicerContext) -> PredictResponse:
        self.calls += 1
        pictures = list(request.inputs["inputs"].string_val)
        code = self.failure(self.calls, pictures)
        if code is not None:
            context.abort(code, self.words)
        response = PredictResponse()
        for alias, value in (("classes", [["red"]]), ("scores", [[1.0]])):
            proto = tf.make_tensor_proto(value * len(pictures))
            response.outputs[alias].CopyFrom(proto)
        return response


@contextmanager
def served(servicer: Moody) -> Iterator[str]:
    """The address of a server with this service."""
    options = [("grpc.max_receive_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(4), options=options)
    add_PredictionServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None)


@contextmanager
def answered_by(servicer: Moody, **client_options: Any) -> Iterator[Client]:
    with served(servicer) as address, Client(address, **client_options) as client:
        yield client


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_an_absent_or_busy_server_is_asked_again_whatever_the_size(code: grpc.StatusCode) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), np.uint8)
    servicer = Moody(lambda call, _: code if call < 3 else None)
    with answered_by(servicer) as client:
        assert client.classify([png(Image.fromarray(noise))])[0].classes == ("red",)
    assert servicer.calls == 3


@pytest.mark.parametrize("code", [grpc.StatusCode.INTERNAL, grpc.StatusCode.FAILED_PRECONDITION])
def test_other_failures_are_not_tried_again(code: grpc.StatusCode) -> None:
    servicer = Moody(lambda *_: code)
    failed = refused(
        RequestRefused,
        found=f"refused the request with {code.name}",
        allowed="serves a model of this pipeline",
        next="`Client.metadata` tells its signatures",
    )
    with answered_by(servicer) as client, failed:
        client.classify([png()])
    assert servicer.calls == 1


def test_a_batch_refused_for_one_picture_is_asked_again_one_by_one() -> None:
    bad = png(picture("green"))
    servicer = Moody(
        lambda _, pictures: grpc.StatusCode.INVALID_ARGUMENT if bad in pictures else None
    )
    sources = [png(picture("red")), bad, png(picture("blue"))]
    with answered_by(servicer) as client:
        first, second, third = client.classify_each(sources)
    assert first.classes == third.classes == ("red",)
    assert (second.file, second.reason) == ("picture 2", "as told")


def test_as_many_requests_as_allowed_go_out_together() -> None:
    together = threading.Barrier(3)

    def wait(call: int, pictures: list[bytes]) -> None:
        together.wait(30)  # each request stays until three are there

    servicer = Moody(wait)
    with answered_by(servicer, max_pictures=1, concurrency=3) as client:
        answers = client.classify([png(picture(name)) for name in ("red", "green", "blue") * 2])
    assert servicer.calls == 6
    assert len(answers) == 6


def test_a_server_without_a_thread_is_asked_again_until_it_has_one() -> None:
    busy = grpc.StatusCode.RESOURCE_EXHAUSTED
    servicer = Moody(lambda call, _: busy if call < 8 else None, "Server Threadpool Exhausted")
    with answered_by(servicer) as client:
        assert client.classify([png()])[0].classes == ("red",)
    assert servicer.calls == 8  # gRPC's own retries would have ended at five


def test_a_server_that_stays_busy_is_given_up_within_the_time() -> None:
    servicer = Moody(lambda *_: grpc.StatusCode.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")
    with (
        answered_by(servicer, timeout=1.0) as client,
        refused(
            ServerBusy,
            found=r"too busy to take the request within 1 s \(Server Threadpool Exhausted\)",
            allowed="--grpc_max_threads=64",
            next="Start it with more threads.*or ask with fewer clients",
        ),
    ):
        client.classify([png()])
    assert 2 <= servicer.calls <= 15  # the pauses grow


@pytest.mark.parametrize(
    "words",
    [
        "SERVER: Received message larger than max (5000000 vs. 4194304)",
        "gRPC message exceeds maximum size 4194304: 5000000",
    ],
)
def test_a_message_that_is_too_large_is_not_sent_again(words: str) -> None:
    servicer = Moody(lambda *_: grpc.StatusCode.RESOURCE_EXHAUSTED, words)
    with answered_by(servicer) as client, refused(RequestRefused, found="4194304", **SMALLER):
        client.classify([png()])
    assert servicer.calls == 1


def test_a_batch_that_is_too_large_is_halved_until_its_messages_fit() -> None:
    sizes: list[int] = []

    def limit(_: int, pictures: list[bytes]) -> grpc.StatusCode | None:
        sizes.append(len(pictures))
        return grpc.StatusCode.RESOURCE_EXHAUSTED if len(pictures) > 2 else None

    servicer = Moody(limit, "Received message larger than max (9 vs. 4)")
    with answered_by(servicer, max_pictures=5) as client:
        assert len(client.classify([png()] * 5)) == 5
    assert sizes == [5, 3, 2, 1, 2]


def test_connecting_to_nothing_and_to_the_rest_port_ends_soon(
    server: ServerProcess, nowhere: str
) -> None:
    for address in (nowhere, f"127.0.0.1:{server.rest_port}"):
        start = time.monotonic()
        silent = refused(ServerUnavailable, found=f"No server answers at {address}", **STARTED)
        with Client(address) as client, silent:
            client.connect(1.0)
        assert time.monotonic() - start < 10.0
    with Client(server.address) as client:
        client.connect(30.0)


def test_a_limit_on_messages_is_kept() -> None:
    servicer = Moody(lambda *_: None)
    with (
        answered_by(servicer, max_message_bytes=100, timeout=5.0) as client,
        refused(RequestRefused, found="larger than max", **SMALLER),
    ):
        client.classify([png()])


def test_a_version_and_a_label_exclude_each_other(nowhere: str) -> None:
    with pytest.raises(ValueError, match="not for both"):
        Client(nowhere, version=1, label="x")
    with pytest.raises(ValueError, match="max_pictures=0"):
        Client(nowhere, max_pictures=0)


def test_importing_the_client_costs_no_tensorflow() -> None:
    script = "import sys, serving.client; print('tensorflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
