"""Sixteen clients for a minute, while versions come, go back and break."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

import serving
from serving.versions import publish, rollback
from tests.serving.samples import jpeg, png
from tests.serving.server_process import ServerProcess, wait_until
from tests.serving.tiny_model import export, predict_request

CLIENTS, SECONDS = 16, 60.0
BATCHING = Path(serving.__file__).parent / "config" / "batching_parameters.txt"
PICTURES = [png(Image.new("RGB", (8, 8), "red")), jpeg(Image.new("RGB", (8, 8), "blue"))]


class Models:
    """SavedModels that answer differently, so that an answer shows which version gave it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self.expected: dict[int, np.ndarray] = {}  # scores by version, [pictures, classes]

    def push(self, model_dir: Path) -> int:
        self._count += 1
        model = export(self._folder / str(self._count), (0.3 * self._count, 0.0, 0.0))
        signature = tf.saved_model.load(str(model)).signatures["serving_default"]
        scores = signature(inputs=tf.constant(PICTURES))["scores"].numpy()
        version = publish(model, model_dir)
        self.expected[version] = scores
        return version

    def push_bad(self, model_dir: Path) -> int:
        bad = self._folder / "bad"
        shutil.copytree(self._folder / "1", bad)
        (bad / "saved_model.pb").write_bytes(b"noise" * 100)
        return publish(bad, model_dir)


@pytest.fixture
def pushed(tmp_path: Path) -> Iterator[tuple[Models, Path, ServerProcess]]:
    models, model_dir = Models(tmp_path / "models"), tmp_path / "pushed"
    models.push(model_dir)
    server = ServerProcess(model_dir, "--batching-parameters-file", str(BATCHING))
    server.wait_until_listening()
    server.wait_for_line("AVAILABLE")
    yield models, model_dir, server
    server.kill()


class Clients:
    """Each asks without a pause for one picture and keeps what it was answered."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._done = threading.Event()
        self._pool = ThreadPoolExecutor(CLIENTS)
        self.answers: list[tuple[int, int, list[float]]] = []  # version, picture, scores
        self.errors: list[str] = []

    def __enter__(self) -> Clients:
        for client in range(CLIENTS):
            self._pool.submit(self._ask, client)
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._pool.shutdown()

    def _ask(self, client: int) -> None:
        picture = client % len(PICTURES)
        request = predict_request(PICTURES[picture : picture + 1])
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self._address, options=options) as channel:
            stub = PredictionServiceStub(channel)
            while not self._done.is_set():
                try:
                    response = stub.Predict(request, timeout=30)
                except grpc.RpcError as error:
                    self.errors.append(str(error))
                    continue
                scores = list(response.outputs["scores"].float_val)
                self.answers.append((response.model_spec.version.value, picture, scores))


@pytest.mark.slow
def test_no_request_fails_and_no_answer_is_wrong(
    pushed: tuple[Models, Path, ServerProcess],
) -> None:
    models, model_dir, server = pushed

    def state(version: int, wanted: str) -> Callable[[], bool]:
        return lambda: server.states().get(version) == wanted

    start = time.monotonic()
    with Clients(server.address) as clients:
        for switch in range(5):
            previous = max(models.expected)
            version = models.push(model_dir)
            wait_until(state(version, "AVAILABLE"), server.log)
            wait_until(state(previous, "END"), server.log)
            if switch in (1, 3):
                rollback(model_dir, previous)
                wait_until(state(version, "END"), server.log)
                rollback(model_dir, version)
                wait_until(state(version, "AVAILABLE"), server.log)
        bad = models.push_bad(model_dir)
        wait_until(state(bad, "END"), server.log)
        time.sleep(max(0.0, SECONDS - (time.monotonic() - start)))  # the rest of the minute
    assert clients.errors == []
    answered = Counter(version for version, _, _ in clients.answers)
    assert set(answered) == set(models.expected)
    assert sum(answered.values()) > 1000
    for version, picture, scores in clients.answers:
        np.testing.assert_allclose(scores, models.expected[version][picture], atol=1e-5)
    assert "Traceback" not in server.log()
