"""Keeps one in N of the pictures that the local server is asked about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from serving.api import Example
from serving.local_server.servable import Servable
from serving.recording.recorder import Recorder
from serving.recording.settings import Recording
from serving.saved_model_session import Arrays
from serving.signatures import CERTAIN, CLASSES, DISTANCE, ENCODED, EXAMPLES, PICTURES, SCORES

_INPUTS = "inputs"


class Recorded:
    """Records what the signatures that take encoded pictures return, of whichever call."""

    def __init__(self, settings: Recording) -> None:
        self._recorder = Recorder(settings)

    def run(self, run: Callable[..., Arrays]) -> Callable[..., Arrays]:
        """Returns a function that runs as `run` and records what it returned."""

        def run_and_record(servable: Servable, name: str, inputs: Arrays, **more: Any) -> Arrays:
            outputs = run(servable, name, inputs, **more)
            if name in (PICTURES, EXAMPLES) and {CLASSES, SCORES} <= outputs.keys():
                self._keep(servable, name, inputs[_INPUTS], outputs)
            return outputs

        return run_and_record

    def _keep(self, servable: Servable, name: str, sent: np.ndarray, outputs: Arrays) -> None:
        certain, distance = outputs.get(CERTAIN), outputs.get(DISTANCE)
        for at, picture in enumerate(sent.ravel().tolist()):
            if name == EXAMPLES:
                picture = _encoded(picture)
            scores = np.asarray(outputs[SCORES][at], float)
            order = np.argsort(-scores, kind="stable")
            classes = [_text(outputs[CLASSES][at][place]) for place in order.tolist()]
            self._recorder.keep(
                picture,
                classes,
                scores[order].tolist(),
                model=servable.name,
                version=servable.version,
                certain=None if certain is None else bool(certain[at]),
                distance=None if distance is None else float(distance[at]),
            )


def _encoded(example: bytes) -> bytes:
    """Returns the picture in a serialized tf.Example that the graph has just read."""
    feature = Example.FromString(example).features.feature[ENCODED]
    return bytes(feature.bytes_list.value[0])


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
