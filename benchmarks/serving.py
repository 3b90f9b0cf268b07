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

CLIENTS = 16
_ROUNDS, _SECONDS = 5, 8.0
_WARM_SECONDS = 2.0
_REQUESTS, _BLOCK = 300, 10  # for the latency of one at a time
_PICTURES, _SIDE, _BATCH = 64, 300, 32
_SMALL = 32  # pixels
BATCHING = Path(serving_package.__file__).parent / "config" / "batching_parameters.txt"

THROUGHPUT, LATENCY_MS, BATCHING_GAIN = 0.85, 5.0, 1.5
"""The bounds that the project states."""

Run = Callable[[list[bytes]], Any]


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
    cases = [Case("mobilenet", 224), Case("inception_v3", 299)]
    found = {case: _measured(case, pictures) for case in cases}
    columns = ["", "bare, pictures/s", f"{CLIENTS} clients", "share", "bare, ms", "added, ms"]
    rows = [[case.title, *figures.row] for case, figures in found.items()]
    show_table(f"Pictures of {_SIDE} x {_SIDE} pixels as JPEG, batches of {_BATCH}", columns, rows)
    for case, figures in found.items():
        text = f"{case.title}: at least {THROUGHPUT} of the bare function's throughput"
        show_bound(text, figures.share >= THROUGHPUT)
        text = f"{case.title}: at most {LATENCY_MS:g} ms more for one picture"
        show_bound(text, figures.added_ms <= LATENCY_MS)
    _small(pictures)


@dataclass(frozen=True)
class _Figures:
    """Medians over rounds in which both sides took turns, since a machine's speed changes."""

    bare: float  # pictures/s
    served: float
    share: float
    bare_ms: float  # for one picture
    added_ms: float

    @property
    def row(self) -> list[str]:
        rates = f"{self.bare:.1f}", f"{self.served:.1f}", f"{self.share:.2f}"
        return [*rates, f"{self.bare_ms:.1f}", f"{self.added_ms:+.1f}"]


def _measured(case: Case, pictures: list[bytes]) -> _Figures:
    from serving.client import Client
    from serving.local_server.process import serving

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        run = _exported(case, Path(folder, "1"))
        bare, served = [], []
        with serving(Path(folder), batching_parameters_file=BATCHING) as address:
            for _ in range(_ROUNDS):
                bare.append(_bare_rate(run, pictures))
                served.append(rate_of_clients(address, pictures))
        with serving(Path(folder)) as address, Client(address) as client:
            alone, asked = _in_turns(
                lambda: run(pictures[:1]), lambda: client.classify(pictures[:1])
            )
    shares = [of / to for of, to in zip(served, bare, strict=True)]
    rate, served_rate, share = map(statistics.median, (bare, served, shares))
    return _Figures(rate, served_rate, share, alone, asked - alone)


def served_rate(backbone: str, size: int) -> float:
    """Returns the pictures per second that the local server answers to 16 clients, a median."""
    from serving.local_server.process import serving

    pictures = _noise()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _exported(Case(backbone, size), Path(folder, "1"))
        with serving(Path(folder), batching_parameters_file=BATCHING) as address:
            return statistics.median(rate_of_clients(address, pictures) for _ in range(_ROUNDS))


def _small(pictures: list[bytes]) -> None:
    from serving.local_server.process import serving

    case = Case("mobilenet", _SMALL)
    rates = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        _exported(case, Path(folder, "1"))
        with (
            serving(Path(folder)) as singly,
            serving(Path(folder), batching_parameters_file=BATCHING) as joined,
        ):
            for _ in range(_ROUNDS):
                rates.append((rate_of_clients(singly, pictures), rate_of_clients(joined, pictures)))
    gains = [of / to for to, of in rates]
    alone, together = (statistics.median(column) for column in zip(*rates, strict=True))
    say(f"{case.title}, {CLIENTS} clients: {alone:.0f} pictures/s singly, {together:.0f} joined")
    gain = statistics.median(gains)
    show_bound(f"batching gives {BATCHING_GAIN} times as many: {gain:.2f}", gain >= BATCHING_GAIN)


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


def _exported(case: Case, directory: Path) -> Run:
    """Writes the part of an exported model that is measured; returns it as a function."""
    import keras
    import numpy as np
    import tensorflow as tf

    from components.artifacts import features
    from components.artifacts.saved_model_writer import write_saved_model
    from components.backbones import BACKBONES
    from components.transform.preprocessing import preprocessing_fn
    from serving.saved_model_session import SavedModelSession

    size = [case.size, case.size]
    config = {"backbone": case.backbone, "size": size, "fit": "stretch"}
    base = BACKBONES[case.backbone].constructor(
        weights=None, include_top=False, input_shape=(*size, 3), pooling="avg"
    )
    model = keras.Sequential([base, keras.layers.Dense(2, activation="softmax")])

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")], autograph=False)
    def serving_default(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        pixels = preprocessing_fn({features.ENCODED: inputs}, config)[features.PIXELS]
        scores, order = tf.math.top_k(model(pixels, training=False), k=2)
        return {"classes": tf.gather(tf.constant(["a", "b"]), order), "scores": scores}

    signatures = {"serving_default": serving_default}
    write_saved_model(str(directory), signatures, {"weights": model.weights})
    session = SavedModelSession(directory)
    return lambda batch: session.run("serving_default", {"inputs": np.array(batch, object)})


def _bare_rate(run: Run, pictures: list[bytes]) -> float:
    """Pictures per second of full batches in this process."""
    run(pictures[:_BATCH])
    done, start = 0, time.monotonic()
    while time.monotonic() - start < _SECONDS:
        run(pictures[:_BATCH])
        done += _BATCH
    return done / (time.monotonic() - start)


def _in_turns(*calls: Callable[[], Any]) -> list[float]:
    """Median milliseconds of each call.

    Blocks of one take turns with blocks of the other, so that a busy machine slows both; single
    calls in turn would each find the caches full of the other process's weights.
    """
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(_REQUESTS // _BLOCK):
        for call, taken in zip(calls, times, strict=True):
            call()  # the first of a block fetches from memory what it needs
            for _ in range(_BLOCK):
                start = time.perf_counter()
                call()
                taken.append(1000 * (time.perf_counter() - start))
    return [statistics.median(taken) for taken in times]


def rate_of_clients(address: str, pictures: list[bytes]) -> float:
    """Pictures per second of clients that each ask for one at a time, in a process of their own."""
    request = json.dumps([address, [picture.hex() for picture in pictures]])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", __name__],
        input=request,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return float(done.stdout)


async def _ask(address: str, pictures: list[bytes]) -> float:
    """Each client has a connection of its own; asyncio, since threads would cost more than gRPC."""
    import grpc

    from serving.api import PredictionServiceStub

    requests = _requests(pictures)

    async def ask(stub: Any, seconds: float) -> int:
        end, done = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            await stub.Predict(requests[done % len(requests)])
            done += 1
        return done

    channels = [
        grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        for _ in range(CLIENTS)
    ]
    stubs = [PredictionServiceStub(channel) for channel in channels]
    await asyncio.gather(*(ask(stub, _WARM_SECONDS) for stub in stubs))
    start = time.monotonic()
    done = sum(await asyncio.gather(*(ask(stub, _SECONDS) for stub in stubs)))
    return done / (time.monotonic() - start)


def _requests(pictures: list[bytes]) -> list[Any]:
    from serving.api import PredictRequest, tensors

    requests = []
    for picture in pictures:
        request = PredictRequest()
        request.model_spec.name = "classifier"
        request.inputs["inputs"].CopyFrom(tensors.of_strings([picture]))
        requests.append(request)
    return requests


if __name__ == "__main__":
    _address, _files = json.load(sys.stdin)
    print(asyncio.run(_ask(_address, [bytes.fromhex(file) for file in _files])))
