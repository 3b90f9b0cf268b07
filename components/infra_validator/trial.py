"""Serves a SavedModel for a moment, and holds the server's answers against the model's own."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from components import features
from serving.client import Client, ClientError, Prediction
from serving.local_server.process import ServerFailed, serving

_NAME = "classifier"
_TOLERANCE = 1e-4  # of scores: batches of other sizes add up in another order
_TIMED_REQUESTS = 20
_SECONDS = 120.0


def find_fault(
    model: Path, pictures: Sequence[bytes], max_latency_ms: float | None = None
) -> str | None:
    """Gives why a SavedModel can't be served as it is; None where it can.

    The server, TensorFlow Serving itself where this machine has it, runs in a process of its own,
    which ends with this call whatever happens.

    Args:
      model: the SavedModel's folder.
      pictures: encoded and canonical.
      max_latency_ms: what the median of requests for one picture each may take; None: any time.
    """
    with tempfile.TemporaryDirectory() as model_dir:
        shutil.copytree(model, Path(model_dir, "1"))  # a container would not follow a link
        try:
            with (
                serving(Path(model_dir), _NAME, prefer_real=True) as address,
                Client(address, _NAME) as client,
            ):
                predicted = client.classify(pictures)
                classified = _classify(address, pictures)
                slow = max_latency_ms is not None and _too_slow(client, pictures, max_latency_ms)
        except (ServerFailed, ClientError) as error:
            return str(error)
        except grpc.RpcError as error:
            return f"The server refused Classify with {error.code().name}: {error.details()}"
    signatures = tf.saved_model.load(str(model)).signatures
    inputs = tf.constant(list(pictures))
    own = _answers(signatures["serving_default"](inputs=inputs))
    own_by_example = _answers(signatures["serve_examples"](inputs=tf.constant(_examples(pictures))))
    return difference(predicted, own) or difference(classified, own_by_example) or slow or None


def _too_slow(client: Client, pictures: Sequence[bytes], limit: float) -> str | None:
    times = []
    for number in range(_TIMED_REQUESTS):
        start = time.perf_counter()
        client.classify([pictures[number % len(pictures)]])
        times.append(1000 * (time.perf_counter() - start))
    median = statistics.median(times)
    if median <= limit:
        return None
    return (
        f"The median of {_TIMED_REQUESTS} requests for one picture took {median:.1f} ms,"
        f" infra.max_latency_ms allows {limit:g} ms."
    )


def _classify(address: str, pictures: Sequence[bytes]) -> list[Prediction]:
    """What the Classify API answers to serialized Examples."""
    request = ClassificationRequest()
    request.model_spec.name = _NAME
    request.model_spec.signature_name = "serve_examples"
    for example in _examples(pictures):
        request.input.example_list.examples.add().ParseFromString(example)
    with grpc.insecure_channel(address, options=[("grpc.max_send_message_length", -1)]) as channel:
        response = PredictionServiceStub(channel).Classify(request, timeout=_SECONDS)
    return [
        Prediction(
            tuple(entry.label for entry in answer.classes),
            tuple(entry.score for entry in answer.classes),
        )
        for answer in response.result.classifications
    ]


def _examples(pictures: Sequence[bytes]) -> list[bytes]:
    """Serialized tf.Examples with the one feature that the signature needs."""
    made = []
    for picture in pictures:
        example = tf.train.Example()
        example.features.feature[features.ENCODED].bytes_list.value.append(picture)
        made.append(example.SerializeToString())
    return made


def _answers(outputs: dict[str, tf.Tensor]) -> list[Prediction]:
    rows = zip(outputs["classes"].numpy(), outputs["scores"].numpy(), strict=True)
    return [
        Prediction(tuple(name.decode() for name in classes), tuple(scores.tolist()))
        for classes, scores in rows
    ]


def difference(served: Sequence[Prediction], own: Sequence[Prediction]) -> str | None:
    """Says where answers differ in their classes, or in a score by more than 1e-4; None: nowhere.

    Classes may change places where their scores are that close. A score that is no number differs
    from every other.
    """
    for number, (of_server, of_model) in enumerate(zip(served, own, strict=True), start=1):
        scores = dict(zip(of_server.classes, of_server.scores, strict=True))
        expected = dict(zip(of_model.classes, of_model.scores, strict=True))
        if scores.keys() != expected.keys():
            found, wanted = sorted(scores), sorted(expected)
            return f"Picture {number}: the server's classes are {found}, the model's own {wanted}."
        for name, score in expected.items():
            if not abs(scores[name] - score) <= _TOLERANCE:
                return (
                    f"Picture {number}: the score of {name!r} is {scores[name]:.6f} from the "
                    f"server and {score:.6f} from the model itself."
                )
    return None
