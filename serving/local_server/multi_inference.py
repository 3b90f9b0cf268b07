"""MultiInference: several signatures of one model on the same tf.Examples (multi_inference.cc)."""

from __future__ import annotations

import grpc
from tensorflow_serving.apis.inference_pb2 import (
    InferenceTask,
    MultiInferenceRequest,
    MultiInferenceResponse,
)

from serving.local_server.batching import Run
from serving.local_server.classify import check_classifies, classification
from serving.local_server.errors import ServingError, invalid_argument
from serving.local_server.regress import check_regresses, regression
from serving.local_server.servable import Servable, signature_name

_CLASSIFY, _REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"


def infer(
    servable: Servable, request: MultiInferenceRequest, run: Run = Servable.run
) -> MultiInferenceResponse:
    """Classifies or regresses by each task's signature; the results are in the tasks' order.

    Raises:
        ServingError: as TensorFlow Serving's: tasks that do not fit each other or their signature,
            no examples, and what `Servable.run` raises.
    """
    for at, task in enumerate(request.tasks):
        _check(servable, task, list(request.tasks[:at]))
    response = MultiInferenceResponse()
    for task in request.tasks:
        name = signature_name(task.model_spec)
        result = response.results.add()
        if task.method_name == _CLASSIFY:
            found = classification(servable, name, request.input, run)
            result.classification_result.CopyFrom(found)
        else:
            result.regression_result.CopyFrom(regression(servable, name, request.input, run))
        servable.identify(result.model_spec, name)
    return response


def _check(servable: Servable, task: InferenceTask, before: list[InferenceTask]) -> None:
    name = signature_name(task.model_spec)
    if not task.model_spec.name:
        raise invalid_argument("Found ModelSpec with an empty model name.")
    if before and task.model_spec.name != before[0].model_spec.name:
        raise invalid_argument(
            "All ModelSpecs in a MultiInferenceRequest must access the same model name."
        )
    if name in [signature_name(other.model_spec) for other in before]:
        raise invalid_argument(f"Duplicate evaluation of signature: {name}")
    if name not in servable.signatures:
        raise invalid_argument(f"Requested signature not found in model graph: {name}")
    if task.method_name == _CLASSIFY:
        check_classifies(servable.signatures[name])
    elif task.method_name == _REGRESS:
        check_regresses(servable.signatures[name])
    else:
        raise ServingError(
            grpc.StatusCode.UNIMPLEMENTED, f"Unsupported signature method_name: {task.method_name}"
        )
