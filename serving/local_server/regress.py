"""Regress: serialized tf.Examples in, a number each out (regressor.cc)."""

from __future__ import annotations

import numpy as np
from google.protobuf.text_format import MessageToString
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow_serving.apis.input_pb2 import Input
from tensorflow_serving.apis.regression_pb2 import (
    RegressionRequest,
    RegressionResponse,
    RegressionResult,
)

from serving.local_server.batching import Run
from serving.local_server.errors import invalid_argument
from serving.local_server.examples import INPUTS, feed, signature_on_examples
from serving.local_server.servable import Servable
from serving.local_server.tensors import dtype_name, shape_text

_OUTPUTS = "outputs"  # signature_constants.h


def regress(
    servable: Servable, request: RegressionRequest, run: Run = Servable.run
) -> RegressionResponse:
    """Runs a signature on tf.Examples; the answer has a number per example.

    Raises:
        ServingError: as TensorFlow Serving's: unknown or unfit signature, no examples, and what
            `Servable.run` raises.
    """
    name = signature_on_examples(servable, request.model_spec, check_regresses)
    response = RegressionResponse(result=regression(servable, name, request.input, run))
    servable.identify(response.model_spec, name)
    return response


def check_regresses(signature: SignatureDef) -> None:
    """Refuses a signature that is no regression.

    Raises:
        ServingError: INVALID_ARGUMENT, says what it lacks.
    """
    if len(signature.inputs) != 1:
        raise invalid_argument("Expected one input Tensor.")
    if len(signature.outputs) != 1:
        raise invalid_argument("Expected one output Tensor.")
    if INPUTS not in signature.inputs:
        text = MessageToString(signature)
        raise invalid_argument(f"No regression inputs found in SignatureDef: {text}")
    if _OUTPUTS not in signature.outputs:
        text = MessageToString(signature)
        raise invalid_argument(f"No regression outputs found in SignatureDef: {text}")


def regression(servable: Servable, name: str, sent: Input, run: Run) -> RegressionResult:
    """Returns the numbers of the examples by a signature that is a regression.

    Raises:
        ServingError: no examples, an output of another form, and what `run` raises.
    """
    inputs = feed(servable.signatures[name], sent)
    values = run(servable, name, inputs)[_OUTPUTS]
    count = len(inputs[INPUTS])
    if values.ndim != 1 and values.shape[1:] != (1,):
        raise invalid_argument(
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got"
            f" {shape_text(values)}"
        )
    if len(values) != count:
        raise invalid_argument(
            f"Input batch size did not match output batch size: {count} vs. {len(values)}"
        )
    if values.dtype != np.float32:
        raise invalid_argument(
            f"Expected output Tensor of DT_FLOAT.  Got: {dtype_name(values.dtype)}"
        )
    result = RegressionResult()
    for value in values.ravel().tolist():
        result.regressions.add(value=value)
    return result
