"""Serves a SavedModel for a moment, and holds the server's answers against the model's own."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from serving.client import Client, ClientError, Prediction
from serving.local_server.process import ServerFailed, serving

_TOLERANCE = 1e-4  # of scores: batches of other sizes add up in another order


def find_fault(model: Path, pictures: Sequence[bytes]) -> str | None:
    """Gives why a SavedModel can't be served as it is; None where it can.

    The server runs in a process of its own, which ends with this call whatever happens.

    Args:
      model: the SavedModel's folder.
      pictures: encoded and canonical.
    """
    with tempfile.TemporaryDirectory() as model_dir:
        Path(model_dir, "1").symlink_to(model.absolute(), target_is_directory=True)
        try:
            with serving(Path(model_dir)) as address, Client(address) as client:
                served = client.classify(pictures)
        except (ServerFailed, ClientError) as error:
            return str(error)
    return difference(served, _own_answers(model, pictures))


def _own_answers(model: Path, pictures: Sequence[bytes]) -> list[Prediction]:
    loaded = tf.saved_model.load(str(model))
    answers = loaded.signatures["serving_default"](inputs=tf.constant(list(pictures)))
    rows = zip(answers["classes"].numpy(), answers["scores"].numpy(), strict=True)
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
