"""A SavedModel as the gate asks it: encoded pictures in, scores of named classes out."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef

from components.artifacts import features
from components.artifacts.examples import Example
from serving.saved_model_session import SavedModelSession
from serving.signatures import CERTAIN, CLASSES, DISTANCE, EXAMPLES, PICTURES, SCORES

_INTERNAL = "__"  # prefix of the keys that are no signatures


class CannotPredict(Exception):
    """The model has no signature that can be asked; the message says what was found."""


class Answer(NamedTuple):
    """A picture's scores by class, and what else the model tells; None where it does not.

    certain: whether it is.
    distance: of its features to those of the training pictures.
    """

    scores: dict[str, float]
    certain: bool | None = None
    distance: float | None = None


class LoadedModel:
    """A model in a session, as TensorFlow Serving loads it.

    One without `serve_examples` is asked by `serving_default`.
    """

    def __init__(self, directory: str):
        """Loads the SavedModel.

        Raises:
          CannotPredict: it can't be loaded, or none of its signatures fits.
        """
        try:
            self._session = SavedModelSession(directory)
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise CannotPredict(
                f"it can't be loaded ({' '.join(str(error).split())[:200]})"
            ) from error
        signatures = self._session.signatures
        self._name = next((name for name in (EXAMPLES, PICTURES) if name in signatures), "")
        fault = _fault(signatures.get(self._name))
        if fault:
            named = sorted(name for name in signatures if not name.startswith(_INTERNAL))
            raise CannotPredict(f"{fault}; its signatures: {', '.join(named) or 'none'}")
        certain = PICTURES in signatures and CERTAIN in signatures[PICTURES].outputs
        self._asked = PICTURES if certain else self._name  # one pass of the network for both

    def answers(self, examples: list[bytes]) -> list[Answer]:
        """Returns the answer for each serialized Example."""
        return self._answers(self._asked, examples)

    def scores(self, examples: list[bytes]) -> list[dict[str, float]]:
        """Returns the score of every class for each serialized Example."""
        return [answer.scores for answer in self.answers(examples)]

    def _answers(self, signature: str, examples: list[bytes]) -> list[Answer]:
        inputs = examples if signature == EXAMPLES else [_encoded(row) for row in examples]
        there = self._session.signatures[signature].outputs
        outputs = [name for name in (CLASSES, SCORES, CERTAIN, DISTANCE) if name in there]
        [alias] = self._session.signatures[signature].inputs
        found = self._session.run(signature, {alias: np.array(inputs, object)}, outputs)
        certain, distance = (
            found[name].tolist() if name in found else [None] * len(examples)
            for name in (CERTAIN, DISTANCE)
        )
        columns = (found[CLASSES].tolist(), found[SCORES].tolist(), certain, distance)
        return [
            Answer(dict(zip([name.decode() for name in names], scores, strict=True)), sure, far)
            for names, scores, sure, far in zip(*columns, strict=True)
        ]

    def classes(self, examples: list[bytes]) -> list[str]:
        """Returns the class names in the model's own order, or sorted where it has none."""
        names = list(self._answers(self._name, examples)[0].scores)
        return names if self._name == EXAMPLES else sorted(names)


def _fault(signature: SignatureDef | None) -> str:
    if signature is None:
        return f"it has neither the signature {EXAMPLES} nor {PICTURES}"
    if [info.dtype for info in signature.inputs.values()] != [tf.string.as_datatype_enum]:
        return "its signature does not take pictures as strings"
    outputs = {alias: info.dtype for alias, info in signature.outputs.items()}
    if SCORES not in outputs or outputs.get(CLASSES) != tf.string.as_datatype_enum:
        return "its signature does not answer with classes and scores"
    return ""


def _encoded(example: bytes) -> bytes:
    return Example(example).encoded(features.ENCODED)


@functools.lru_cache(maxsize=2)
def load(directory: str) -> LoadedModel:
    """Returns the model in this folder, loaded once per process.

    Raises:
      CannotPredict: it can't be asked.
    """
    return LoadedModel(directory)
