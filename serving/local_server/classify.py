"""Classify: serialized tf.Examples in, labels and scores out (classifier.cc)."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

import tensorflow as tf
from google.protobuf.text_format import MessageToString
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis.classification_pb2 import (
    ClassificationRequest,
    ClassificationResponse,
    ClassificationResult,
)
from tensorflow_serving.apis.input_pb2 import Input

from serving.local_server.batching import Run
from serving.local_server.errors import invalid_argument
from serving.local_server.examples import INPUTS, feed, signature_on_examples
from serving.local_server.servable import Servable
from serving.local_server.tensors import dtype_name, shape_text
from serving.saved_model_session import Arrays

_CLASSES, _SCORES = "classes", "scores"  # signature_constants.h


def classify(
    servable: Servable, request: ClassificationRequest, run: Run = Servable.run
) -> ClassificationResponse:
    """Runs a signature on tf.Examples; the answer has a label, a score or both per output column.

    Raises:
        ServingError: as TensorFlow Serving's: unknown or unfit signature, no examples, and what
            `Servable.run` raises.
    """
    name = signature_on_examples(servable, request.model_spec, check_classifies)
    result = classification(servable, name, request.input, run)
    response = ClassificationResponse(result=result)
    servable.identify(response.model_spec, name)
    return response


def check_classifies(signature: SignatureDef) -> None:
    """Refuses a signature that does not classify.

    Raises:
        ServingError: INVALID_ARGUMENT, says what it lacks.
    """
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if len(signature.outputs) not in (1, 2):
        raise invalid_argument(
            f"Expected one or two output Tensors, found {len(signature.outputs)}"
        )
    if INPUTS not in signature.inputs:
        text = MessageToString(signature)
        raise invalid_argument(f"No classification inputs found in SignatureDef: {text}")
    if not {_CLASSES, _SCORES} & set(signature.outputs):
        raise invalid_argument(
            "Expected classification signature outputs to contain at least one of"
            f' "{_CLASSES}" or "{_SCORES}". Signature was: {MessageToString(signature)}'
        )


def classification(servable: Servable, name: str, sent: Input, run: Run) -> ClassificationResult:
    """Returns the classes of the examples by a signature that classifies.

    Raises:
        ServingError: no examples, outputs of another form, and what `run` raises.
    """
    inputs = feed(servable.signatures[name], sent)
    outputs = run(servable, name, inputs)
    count = len(inputs[INPUTS])
    labels = _rows(outputs, _CLASSES, tf.string, count)
    scores = _rows(outputs, _SCORES, tf.float32, count)
    if {_CLASSES, _SCORES} <= outputs.keys() and len(labels[0]) != len(scores[0]):
        raise invalid_argument(
            "Tensors class and score should match in dim_size(1). Got"
            f" {len(labels[0])} vs. {len(scores[0])}"
        )
    result = ClassificationResult()
    for row in zip(labels, scores, strict=True):
        classes = result.classifications.add().classes
        for label, score in zip_longest(*row):
            classes.add(label=label, score=score)
    return result


def _rows(outputs: Arrays, alias: str, dtype: tf.DType, batch: int) -> list[Any]:
    """The rows of one output, `[batch, classes]`; empty ones where the signature lacks it."""
    if alias not in outputs:
        return [()] * batch
    array = outputs[alias]
    if array.ndim != 2:
        raise invalid_argument(
            f"Expected Tensor shape: [batch_size num_classes] but got {shape_text(array)}"
        )
    if tf.as_dtype(array.dtype) != dtype:
        raise invalid_argument(
            f"Expected {alias} Tensor of {dtype_name(dtype)}. Got: {dtype_name(array.dtype)}"
        )
    if array.shape[0] != batch:
        raise invalid_argument(
            f"Expected {alias} output batch size of {batch}. Got: {array.shape[0]}"
        )
    rows: list[Any] = array.tolist()
    return rows
