"""Loads and serves a SavedModel for a moment, and compares its predictions with the network's.

Twice: in a session, as TensorFlow Serving loads it, and behind a server that is asked over gRPC.
What a session can't load or run is refused with the runtime's error before a server starts.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import grpc
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from components.artifacts import features
from components.artifacts.examples import serialized
from components.files.space import check_space, size_of
from serving import real_server
from serving.client import Client, ClientError, Prediction
from serving.local_server.process import ServerFailed, serving
from serving.session_trial import TrialProcess, trial_process
from serving.signatures import EXAMPLES, PICTURES
from serving.trial_worker import Answer

_NAME = "classifier"
TOLERANCES = {"float32": 1e-4, "bfloat16": 0.1}
"""Of a score against the float32 network in memory. Batches of other sizes add up in another order;
8 bits of bfloat16's fraction move a score near 0.5 by some hundredths."""
_TIMED_REQUESTS = 20
_SECONDS = 120.0


def find_fault(
    model: Path,
    pictures: Sequence[bytes],
    in_memory: Sequence[Answer] | None = None,
    *,
    max_latency_ms: float | None = None,
    tolerance: float = TOLERANCES["float32"],
) -> str | None:
    """Returns why a SavedModel can't be served as it is; None where it can.

    Session and server, TensorFlow Serving itself where this machine has it, run in a process of
    their own, which ends with this call whatever happens.

    Args:
      model: the SavedModel's folder.
      pictures: encoded and canonical.
      in_memory: the network's own predictions for them before it was exported; None: not known, so
        the session's predictions are expected of the server.
      max_latency_ms: what the median of requests for one picture each may take; None: any time.
      tolerance: of a score.
    """
    with tempfile.TemporaryDirectory() as model_dir, trial_process() as process:
        session = process.try_model(model, pictures)
        if session.fault:
            return f"No session can serve it, so TensorFlow Serving can't: {session.fault}"
        if not {PICTURES, EXAMPLES} <= session.answers.keys():
            return (
                f"It has not the signatures {PICTURES} and {EXAMPLES} that answer pictures with"
                " classes and scores."
            )
        by_picture, by_example = (_predictions(session.answers[k]) for k in (PICTURES, EXAMPLES))
        own = by_example if in_memory is None else _predictions(in_memory)
        for answers in (by_picture, by_example):
            fault = difference(answers, own, "a session", tolerance)
            if fault:
                return fault
        server = _server(process, model, Path(model_dir))
        # A server may differ from a session by less than bfloat16 does from float32.
        own = own if tolerance == TOLERANCES["float32"] else by_example
        return _server_fault(server, pictures, own, max_latency_ms)


def _server(process: TrialProcess, model: Path, model_dir: Path) -> AbstractContextManager[str]:
    """Returns what serves the model: TensorFlow Serving itself, or the process that tried it.

    Args:
      process: tried the model.
      model: the SavedModel's folder.
      model_dir: an empty folder, which becomes a push directory.
    """
    version = model_dir / "1"
    if real_server.is_here():
        check_space("TMPDIR", str(model_dir), size_of(str(model)))
        shutil.copytree(model, version)  # a container would not follow a link
        return serving(model_dir, _NAME, prefer_real=True)
    version.symlink_to(model.resolve())
    return process.serving(model_dir, _NAME)


def _server_fault(
    server: AbstractContextManager[str],
    pictures: Sequence[bytes],
    own: Sequence[Prediction],
    max_latency_ms: float | None,
) -> str | None:
    """Returns why the server's predictions are missing, different or late; None where none is."""
    try:
        with server as address, Client(address, _NAME) as client:
            predicted = client.classify(pictures)
            classified = _classify(address, pictures)
            slow = max_latency_ms is not None and _too_slow(client, pictures, max_latency_ms)
    except (ServerFailed, ClientError) as error:
        return str(error)
    except grpc.RpcError as error:
        return f"The server refused Classify with {error.code().name}: {error.details()}"
    return difference(predicted, own) or difference(classified, own) or slow or None


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
    """Returns the Classify API's predictions for serialized Examples."""
    request = ClassificationRequest()
    request.model_spec.name = _NAME
    request.model_spec.signature_name = EXAMPLES
    for picture in pictures:
        example = serialized({features.ENCODED: picture})
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


def _predictions(answers: Sequence[Answer]) -> list[Prediction]:
    return [Prediction(tuple(classes), tuple(scores)) for classes, scores in answers]


def difference(
    found: Sequence[Prediction],
    own: Sequence[Prediction],
    where: str = "the server",
    tolerance: float = TOLERANCES["float32"],
) -> str | None:
    """Returns where predictions differ in classes, or in a score by more; None: nowhere.

    Classes may change places where their scores are that close. NaN differs from every score.

    Args:
      found: from `where`, one per picture.
      own: the model's.
      where: names who predicted, in the sentence.
      tolerance: of a score.
    """
    for number, (of_server, of_model) in enumerate(zip(found, own, strict=True), start=1):
        scores = dict(zip(of_server.classes, of_server.scores, strict=True))
        expected = dict(zip(of_model.classes, of_model.scores, strict=True))
        if scores.keys() != expected.keys():
            classes, wanted = sorted(scores), sorted(expected)
            return f"Picture {number}: {where}'s classes are {classes}, the model's own {wanted}."
        for name, score in expected.items():
            if not abs(scores[name] - score) <= tolerance:
                return (
                    f"Picture {number}: the score of {name!r} is {scores[name]:.6f} from "
                    f"{where} and {score:.6f} from the model itself."
                )
    return None
