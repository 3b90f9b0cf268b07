"""The predictions of the fitted network in memory, kept beside the SavedModel made of it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence

import numpy as np
from tfx.dsl.io import fileio

from serving.trial_worker import Answer

_FILE = "network_answers.json"

PICTURES = 8
"""How many of the first pictures of the `eval` split the network predicts."""


def write(model: str, classes: Sequence[str], scores: np.ndarray) -> None:
    """Writes the predictions into a Model artifact.

    Args:
      model: the artifact's URI.
      classes: the class list.
      scores: [pictures, classes] float32, of the first `PICTURES` of the `eval` split.
    """
    document = {"classes": list(classes), "scores": np.asarray(scores, np.float64).tolist()}
    with fileio.open(os.path.join(model, _FILE), "w") as file:
        file.write(json.dumps(document, ensure_ascii=False))


def read(model: str) -> list[Answer] | None:
    """Returns the predictions in a Model artifact, one per picture; None where it has none."""
    path = os.path.join(model, _FILE)
    if not fileio.exists(path):
        return None
    with fileio.open(path) as file:
        document = json.loads(file.read())
    return [(document["classes"], scores) for scores in document["scores"]]
