"""One version of a model in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import tensorflow as tf
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow_serving.apis.model_pb2 import ModelSpec

from serving.local_server.errors import ServingError


class Servable:
    """A loaded SavedModel: its signatures as written in it, and `run`.

    Args:
        name: the model's name.
        version: the number of its folder.
        path: the folder, a SavedModel with a meta graph tagged `serve`.

    Raises:
        OSError, google.protobuf.message.DecodeError, tensorflow.errors.OpError and others: whatever
            keeps TensorFlow from loading it.
    """

    def __init__(self, name: str, version: int, path: Path) -> None:
        self.name = name
        self.version = version
        self.signatures: dict[str, SignatureDef] = _signatures(path)
        self._model: Any = tf.saved_model.load(str(path))

    def identify(self, spec: ModelSpec) -> None:
        """Writes into an answer's `spec` which model and version gave it."""
        spec.name = self.name
        spec.version.value = self.version

    def batches(self, signature_name: str) -> bool:
        """Whether requests can be joined: all the signature's tensors have a free first size."""
        signature = self.signatures[signature_name]
        tensors = [*signature.inputs.values(), *signature.outputs.values()]
        shapes = [info.tensor_shape for info in tensors]
        return all(shape.dim and shape.dim[0].size == -1 for shape in shapes)

    def run(self, signature_name: str, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Gives the outputs of one signature by alias; safe to call from several threads.

        Raises:
            ServingError: what went wrong in the graph, INVALID_ARGUMENT for a broken picture.
        """
        try:
            return self._model.signatures[signature_name](**inputs)
        except tf.errors.OpError as error:
            raise ServingError.of(error) from None


def signature_name(spec: ModelSpec) -> str:
    """Gives the signature that a request asks for, the default one where it names none."""
    return spec.signature_name or tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY


def _signatures(path: Path) -> dict[str, SignatureDef]:
    saved_model = SavedModel.FromString((path / "saved_model.pb").read_bytes())
    for graph in saved_model.meta_graphs:
        if tf.saved_model.SERVING in graph.meta_info_def.tags:
            return dict(graph.signature_def)
    raise ServingError(
        grpc.StatusCode.NOT_FOUND,
        f"{path} has no meta graph tagged {tf.saved_model.SERVING!r}",
    )
