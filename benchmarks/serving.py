"""Throughput and latency of the local server against the bare served function in this process."""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import serving as serving_package
from benchmarks.figures import say, show_bound, show_table

_CLIENTS = 16
_SECONDS = 20.0
_WARM_SECONDS = 3.0
_REQUESTS = 40  # for the latency of one at a time
_PICTURES, _SIDE = 64, 300
_SMALL = 64  # pixels
_BATCHING = Path(serving_package.__file__).parent / "config" / "batching_parameters.txt"

THROUGHPUT, LATENCY_MS, BATCHING_GAIN = 0.85, 5.0, 1.5
"""The bounds that the project states."""


@dataclass(frozen=True)
class Case:
    """A network whose weights are random: they cost the same time as trained ones."""

    backbone: str
    size: int

    @property
    def title(self) -> str:
        return f"{self.backbone} at {self.size} pixels"


def main() -> None:
    """Measures MobileNet and InceptionV3 at their default sizes, and a small network."""
    pictures = _noise()
    rows, bounds = [], []
    for case in (Case("mobilenet", 224), Case("inception_v3", 299)):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            _export(case, Path(folder, "1"))
            bare = _bare(Path(folder, "1"), pictures)
            joined = _throughput(Path(folder), pictures, _BATCHING)
            added = _latency(Path(folder), pictures[0]) - bare.milliseconds
        share = joined / bare.per_second
        rows.append(
            [
                case.title,
                f"{bare.per_second:.1f}",
                f"{joined:.1f} ({share:.2f})",
                f"{bare.milliseconds:.1f}",
                f"{added:+.1f}",
            ]
        )
        bounds.append(
            (
                f"{case.title}: throughput at least {THROUGHPUT} of the bare function",
                share >= THROUGHPUT,
            )
        )
        bounds.append((f"{case.title}: at most {LATENCY_MS:g} ms more", added <= LATENCY_MS))
    columns = ["", "bare, pictures/s", f"{_CLIENTS} clients", "bare, ms", "added, ms"]
    show_table("Serving noise of 300 x 300 pixels as JPEG, full batches of 32", columns, rows)
    for text, holds in bounds:
        show_bound(text, holds)
    _small(pictures)


def _small(pictures: list[bytes]) -> None:
    case = Case("mobilenet", _SMALL)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _export(case, Path(folder, "1"))
        alone = _throughput(Path(folder), pictures, None)
        joined = _throughput(Path(folder), pictures, _BATCHING)
    say(f"{case.title}, {_CLIENTS} clients: {alone:.0f} pictures/s one by one, {joined:.0f} joined")
    show_bound(f"batching gives {BATCHING_GAIN} times as many", joined >= BATCHING_GAIN * alone)


def _noise() -> list[bytes]:
    """Encoded pictures, JPEG as photographs are, and smooth, so that a file has a usual size."""
    import io

    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    files = []
    for _ in range(_PICTURES):
        coarse = Image.fromarray(random.integers(0, 256, (20, 20, 3), np.uint8))
        file = io.BytesIO()
        coarse.resize((_SIDE, _SIDE), Image.Resampling.BICUBIC).save(file, "JPEG", quality=90)
        files.append(file.getvalue())
    return files


def _export(case: Case, directory: Path) -> None:
    """Writes the part of an exported model that is measured: `serving_default`."""
    import keras
    import tensorflow as tf

    from components import features
    from components.backbones import BACKBONES
    from components.transform.preprocessing import preprocessing_fn

    size = [case.size, case.size]
    config = {"backbone": case.backbone, "size": size, "fit": "stretch"}
    module = tf.Module()
    base = BACKBONES[case.backbone].constructor(
        weights=None, include_top=False, input_shape=(*size, 3), pooling="avg"
    )
    module.model = keras.Sequential([base, keras.layers.Dense(2, activation="softmax")])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")], autograph=False)
    def serving_default(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        pixels = preprocessing_fn({features.ENCODED: inputs}, config)[features.PIXELS]
        scores, order = tf.math.top_k(module.model(pixels, training=False), k=2)
        return {"classes": tf.gather(tf.constant(["a", "b"]), order), "scores": scores}

    tf.saved_model.save(module, str(directory), signatures=serving_default)


@dataclass(frozen=True)
class _Bare:
    per_second: float
    milliseconds: float  # of one picture, median


def _bare(model: Path, pictures: list[bytes]) -> _Bare:
    import tensorflow as tf

    signature = tf.saved_model.load(str(model)).signatures["serving_default"]

    def run(batch: list[bytes]) -> None:
        signature(inputs=tf.constant(batch))["scores"].numpy()

    run(pictures[:32])
    done, start = 0, time.monotonic()
    while time.monotonic() - start < _SECONDS:
        run(pictures[:32])
        done += 32
    rate = done / (time.monotonic() - start)
    return _Bare(rate, _median_ms(lambda: run(pictures[:1])))


def _median_ms(call: Callable[[], Any]) -> float:
    call()
    times = []
    for _ in range(_REQUESTS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def _throughput(model_dir: Path, pictures: list[bytes], batching: Path | None) -> float:
    """Pictures per second of clients that each ask for one at a time, in a process of their own."""
    from serving.local_server.process import serving

    with serving(model_dir, batching_parameters_file=batching) as address:
        request = Path(model_dir, ".request")
        request.write_text(json.dumps([address, [picture.hex() for picture in pictures]]))
        done = subprocess.run(
            [sys.executable, "-m", __name__, str(request)],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    return float(done.stdout)


def _latency(model_dir: Path, picture: bytes) -> float:
    from serving.client import Client
    from serving.local_server.process import serving

    with serving(model_dir) as address, Client(address) as client:
        return _median_ms(lambda: client.classify([picture]))


async def _ask(address: str, pictures: list[bytes]) -> float:
    """Each client has a connection of its own; asyncio, since threads would cost more than gRPC."""
    import grpc
    from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

    requests = _requests(pictures)

    async def ask(stub: Any, seconds: float) -> int:
        end, done = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            await stub.Predict(requests[done % len(requests)])
            done += 1
        return done

    channels = [
        grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        for _ in range(_CLIENTS)
    ]
    stubs = [PredictionServiceStub(channel) for channel in channels]
    await asyncio.gather(*(ask(stub, _WARM_SECONDS) for stub in stubs))
    start = time.monotonic()
    done = sum(await asyncio.gather(*(ask(stub, _SECONDS) for stub in stubs)))
    return done / (time.monotonic() - start)


def _requests(pictures: list[bytes]) -> list[Any]:
    import tensorflow as tf
    from tensorflow_serving.apis.predict_pb2 import PredictRequest

    requests = []
    for picture in pictures:
        request = PredictRequest()
        request.model_spec.name = "classifier"
        request.inputs["inputs"].CopyFrom(tf.make_tensor_proto([picture]))
        requests.append(request)
    return requests


if __name__ == "__main__":
    _address, _files = json.loads(Path(sys.argv[1]).read_text())
    print(asyncio.run(_ask(_address, [bytes.fromhex(file) for file in _files])))
