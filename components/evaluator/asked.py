"""A SavedModel as the gate asks it: encoded pictures in, scores of named classes out."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from components import features

EXAMPLES, PICTURES = "serve_examples", "serving_default"


class NotAskable(Exception):
    """The model has no signature that can be asked; the message says what was found."""


class Asked:
    """A loaded model. One without `serve_examples` is asked by `serving_default`."""

    def __init__(self, directory: str):
        """Loads the SavedModel.

        Raises:
          NotAskable: it can't be loaded, or none of its signatures fits.
        """
        try:
            self._model = tf.saved_model.load(directory)
        except (OSError, ValueError, tf.errors.OpError) as error:
            raise NotAskable(
                f"it can't be loaded ({' '.join(str(error).split())[:200]})"
            ) from error
        signatures = self._model.signatures
        self._name = next((name for name in (EXAMPLES, PICTURES) if name in signatures), "")
        fault = _fault(signatures.get(self._name))
        if fault:
            found = ", ".join(sorted(signatures)) or "none"
            raise NotAskable(f"{fault}; its signatures: {found}")
        self._signature = signatures[self._name]

    def scores(self, examples: list[bytes]) -> list[dict[str, float]]:
        """Gives the score of every class for each serialized Example."""
        inputs = examples if self._name == EXAMPLES else [_encoded(row) for row in examples]
        [name] = self._signature.structured_input_signature[1]
        found = self._signature(**{name: tf.constant(inputs)})
        classes, scores = found["classes"].numpy(), found["scores"].numpy()
        return [
            {name.decode(): float(score) for name, score in zip(*answer, strict=True)}
            for answer in zip(classes, np.asarray(scores), strict=True)
        ]

    def classes(self, examples: list[bytes]) -> list[str]:
        """Gives the names of the classes in the model's own order, or sorted where it has none."""
        names = list(self.scores(examples)[0])
        return names if self._name == EXAMPLES else sorted(names)


def _fault(signature: Any) -> str:
    if signature is None:
        return f"it has neither the signature {EXAMPLES} nor {PICTURES}"
    inputs, outputs = signature.structured_input_signature[1], signature.structured_outputs
    if [spec.dtype for spec in inputs.values()] != [tf.string]:
        return "its signature does not take pictures as strings"
    if not {"classes", "scores"} <= set(outputs) or outputs["classes"].dtype != tf.string:
        return "its signature does not answer with classes and scores"
    return ""


def _encoded(example: bytes) -> bytes:
    feature = tf.train.Example.FromString(example).features.feature
    return feature[features.ENCODED].bytes_list.value[0]


@functools.lru_cache(maxsize=2)
def load(directory: str) -> Asked:
    """Gives the model in this folder, loaded once per process.

    Raises:
      NotAskable: it can't be asked.
    """
    return Asked(directory)
