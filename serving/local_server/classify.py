"""Classify: serialized tf.Examples in, labels and scores out (classifier.cc, util.cc)."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import grpc
import numpy as np
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis.classification_pb2 import (
    ClassificationRequest,
    ClassificationResponse,
)
from tensorflow_serving.apis.input_pb2 import Input

from serving.local_server.batching import Run
from serving.local_server.errors import ServingError, invalid_argument
from serving.local_server.servable import Servable, signature_name
from serving.saved_model_session import Arrays

_INPUTS, _CLASSES, _SCORES = "inputs", "classes", "scores"  # signature_constants.h


def classify(
    servable: Servable, request: ClassificationRequest, run: Run = Servable.run
) -> ClassificationResponse:
    """Runs a signature on tf.Examples; the answer has a label, a score or both per output column.

    Raises:
        ServingError: as TensorFlow Serving's: unknown or unfit signature, no examples, and what
            `Servable.run` raises.
    """
    name = signature_name(request.model_spec)
    if name not in servable.signatures:
        raise invalid_argument(f"No signature was found with the name: {name}")
    _check(servable.signatures[name])
    examples = _serialized(request.input)
    outputs = run(servable, name, {_INPUTS: np.array(examples, object)})
    labels = _rows(outputs, _CLASSES, np.dtype(object), len(examples))
    scores = _rows(outputs, _SCORES, np.dtype(np.float32), len(examples))
    response = ClassificationResponse()
    servable.identify(response.model_spec)
    response.model_spec.signature_name = name
    for row in zip(labels, scores, strict=True):
        classes = response.result.classifications.add().classes
        for label, score in zip_longest(*row):
            classes.add(label=label, score=score)
    return response


def _check(signature: SignatureDef) -> None:
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if len(signature.outputs) not in (1, 2):
        raise invalid_argument(
            f"Expected one or two output Tensors, found {len(signature.outputs)}"
        )
    if _INPUTS not in signature.inputs:
        raise ServingError(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"No classification inputs found in SignatureDef: {signature}",
        )
    if not {_CLASSES, _SCORES} & set(signature.outputs):
        raise ServingError(
            grpc.StatusCode.FAILED_PRECONDITION,
            "Expected classification signature outputs to contain at least one of"
            f' "{_CLASSES}" or "{_SCORES}". Signature was: {signature}',
        )


def _serialized(sent: Input) -> list[bytes]:
    """One serialized tf.Example each; a context's features go into all of them."""
    context = b""
    examples = sent.example_list.examples
    if sent.WhichOneof("kind") == "example_list_with_context":
        context = sent.example_list_with_context.context.SerializeToString()
        examples = sent.example_list_with_context.examples
    if not examples:
        raise invalid_argument("Input is empty.")
    # Protocol buffers merge when they are concatenated.
    return [context + example.SerializeToString() for example in examples]


def _rows(outputs: Arrays, alias: str, dtype: np.dtype, batch: int) -> list[Any]:
    """The rows of one output, `[batch, classes]`; empty ones where the signature lacks it."""
    if alias not in outputs:
        return [()] * batch
    array = outputs[alias]
    if array.ndim != 2:
        raise invalid_argument(
            f"Expected Tensor shape: [batch_size num_classes] but got {list(array.shape)}"
        )
    if array.dtype != dtype:
        raise invalid_argument(f"Expected {alias} Tensor of {dtype.name}. Got: {array.dtype.name}")
    if array.shape[0] != batch:
        raise invalid_argument(
            f"Expected {alias} output batch size of {batch}. Got: {array.shape[0]}"
        )
    rows: list[Any] = array.tolist()
    return rows
