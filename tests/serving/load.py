"""Models that can be told apart, and clients that ask for them without a pause."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from serving.pictures import MAX_PIXELS
from serving.publishing import publish
from tests.serving.samples import jpeg, png
from tests.serving.tiny_model import export, predict_request

PICTURES = [png(Image.new("RGB", (8, 8), "red")), jpeg(Image.new("RGB", (8, 8), "blue"))]


class Models:
    """SavedModels that answer differently, so that an answer shows which version gave it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        self.expected: dict[int, np.ndarray] = {}  # scores by version, [pictures, classes]

    def push(self, model_dir: Path) -> int:
        self._count += 1
        model = export(self._folder / str(self._count), (0.3 * self._count, 0.0, 0.0), MAX_PIXELS)
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


@dataclass(frozen=True)
class Answered:
    """One answer: whom the client asked for, which version and scores it got for which picture."""

    label: str | None
    version: int
    picture: int
    scores: tuple[float, ...]


class Clients:
    """Each asks without a pause for one picture, and is plain: it tries nothing again.

    Args:
        address: HOST:PORT of gRPC.
        count: how many.
        labels: whom they ask for, in turn; None is the newest version.
    """

    def __init__(self, address: str, count: int, labels: Sequence[str | None] = (None,)) -> None:
        self._address = address
        self._labels = [labels[client % len(labels)] for client in range(count)]
        self._done = threading.Event()
        self._pool = ThreadPoolExecutor(count)
        self._asking: list[Future[None]] = []
        self.answers: list[Answered] = []
        self.errors: Counter[str] = Counter()

    def __enter__(self) -> Clients:
        self._asking = [
            self._pool.submit(self._ask, label, number // 2 % len(PICTURES))
            for number, label in enumerate(self._labels)
        ]
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._pool.shutdown()
        for asking in self._asking:
            asking.result()  # a client that fell over has asked nothing since

    def versions(self, label: str | None = None) -> Counter[int]:
        """Returns how many answers each version gave to those who asked for `label`."""
        return Counter(answer.version for answer in self.answers if answer.label == label)

    def check_scores(self, models: Models) -> None:
        """Each answer must be that of the version that it names."""
        for answer in self.answers:
            expected = models.expected[answer.version][answer.picture]
            np.testing.assert_allclose(answer.scores, expected, atol=1e-5)

    def _ask(self, label: str | None, picture: int) -> None:
        request = predict_request(PICTURES[picture : picture + 1])
        if label is not None:
            request.model_spec.version_label = label
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self._address, options=options) as channel:
            stub = PredictionServiceStub(channel)
            while not self._done.is_set():
                try:
                    response = stub.Predict(request, timeout=30)
                except grpc.RpcError as error:
                    self.errors[f"{label}: {error.code().name}: {error.details()}"] += 1
                    continue
                scores = tuple(response.outputs["scores"].float_val)
                version = response.model_spec.version.value
                self.answers.append(Answered(label, version, picture, scores))
