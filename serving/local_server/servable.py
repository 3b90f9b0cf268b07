"""One version of a model in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.model_pb2 import ModelSpec

from serving.local_server.errors import ServingError
from serving.saved_model_session import Arrays, SavedModelSession

MAX_ROWS = 64
"""Of one run: a request with more is computed in several."""


class Servable:
    """A loaded SavedModel: its signatures as written in it, and `run`.

    Args:
        name: the model's name.
        version: the number of its folder.
        path: the folder, a SavedModel with a meta graph tagged `serve`.

    Raises:
        ServingError: NOT_FOUND, the folder holds no SavedModel.
        OSError, tensorflow.errors.OpError and others: what keeps TensorFlow from loading it.
    """

    def __init__(self, name: str, version: int, path: Path) -> None:
        self.name = name
        self.version = version
        if not any((path / f"saved_model.{kind}").exists() for kind in ("pb", "pbtxt")):
            raise ServingError(
                grpc.StatusCode.NOT_FOUND,
                "Specified file path does not appear to contain a SavedModel bundle (should have a"
                f" file called `saved_model.pb`)\nSpecified file path: {path}",
            )
        self._session = SavedModelSession(path)
        self.signatures = self._session.signatures

    def identify(self, spec: ModelSpec, signature_name: str = "") -> None:
        """Writes into an answer's `spec` which model, version and signature computed it."""
        spec.name = self.name
        spec.version.value = self.version
        spec.signature_name = signature_name

    def batches(self, signature_name: str) -> bool:
        """Checks whether requests can be joined: the first size of all its tensors is free."""
        signature = self.signatures[signature_name]
        tensors = [*signature.inputs.values(), *signature.outputs.values()]
        shapes = [info.tensor_shape for info in tensors]
        return all(shape.dim and shape.dim[0].size == -1 for shape in shapes)

    def run(
        self,
        signature_name: str,
        inputs: Mapping[str, np.ndarray],
        deadline: float | None = None,
        awaited: Callable[[], bool] | None = None,
    ) -> Arrays:
        """Computes the outputs of one signature by alias; safe to call from several threads.

        Many rows are computed in several runs, so that memory has a bound and a request whose
        client has left ends between them: a run that is under way ends at its deadline only.

        Args:
            signature_name: its key.
            inputs: arrays by alias.
            deadline: on the clock of time.monotonic(), when the run is cancelled; None: never.
            awaited: whether the client still waits; None: it does.

        Raises:
            ServingError: DEADLINE_EXCEEDED, CANCELLED, or what went wrong in the graph, such as
                INVALID_ARGUMENT for a broken picture.
        """
        outputs = []
        for part in self._parts(signature_name, inputs):
            if awaited is not None and not awaited():
                raise ServingError(grpc.StatusCode.CANCELLED, "The client no longer waits")
            outputs.append(self._run(signature_name, part, deadline))
        if len(outputs) == 1:
            return outputs[0]
        return {alias: np.concatenate([each[alias] for each in outputs]) for alias in outputs[0]}

    def close(self) -> None:
        """Frees the model; runs that are under way end with an error."""
        self._session.close()

    def _run(
        self, signature_name: str, inputs: Mapping[str, np.ndarray], deadline: float | None
    ) -> Arrays:
        seconds = None if deadline is None else deadline - time.monotonic()
        try:
            return self._session.run(signature_name, inputs, seconds=seconds)
        except tf.errors.DeadlineExceededError:  # the session's words are about its own waiting
            raise ServingError(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded") from None
        except tf.errors.OpError as error:
            raise ServingError.of(error) from None

    def _parts(
        self, signature_name: str, inputs: Mapping[str, np.ndarray]
    ) -> list[Mapping[str, np.ndarray]]:
        sizes = {array.shape[:1] for array in inputs.values()}
        if len(sizes) != 1 or () in sizes or not self.batches(signature_name):
            return [inputs]
        (size,) = sizes.pop()
        return [
            {alias: array[at : at + MAX_ROWS] for alias, array in inputs.items()}
            for at in range(0, max(size, 1), MAX_ROWS)
        ]


def signature_name(spec: ModelSpec) -> str:
    """Returns the signature that a request names, the default one where it names none."""
    return spec.signature_name or tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY
