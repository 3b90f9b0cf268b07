"""TensorFlow Serving's protocol buffers, to and from plain values.

The one module of the client that imports them, and with them all of TensorFlow
(`tensorflow_serving.apis` does so, for the TensorProto): several seconds, so `Client` imports it
when it is made and not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    SignatureDefMap,
)
from tensorflow_serving.apis.get_model_status_pb2 import (
    GetModelStatusRequest,
    GetModelStatusResponse,
    ModelVersionStatus,
)
from tensorflow_serving.apis.model_pb2 import ModelSpec
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from serving.client.results import Prediction, Signature, TensorSpec, VersionStatus
from serving.picture_settings import OUTPUT, PictureSettings

__all__ = ["ModelServiceStub", "PredictionServiceStub"]

_INPUTS, _CLASSES, _SCORES = "inputs", "classes", "scores"
_METADATA_FIELD = "signature_def"


def model_spec(name: str, version: int | None, label: str | None) -> ModelSpec:
    spec = ModelSpec(name=name)
    if version is not None:
        spec.version.value = version
    if label is not None:
        spec.version_label = label
    return spec


def predict_request(spec: ModelSpec, encoded: Sequence[bytes]) -> PredictRequest:
    """Asks `serving_default` for encoded pictures, `inputs`: DT_STRING [batch]."""
    request = PredictRequest(model_spec=spec)
    request.inputs[_INPUTS].CopyFrom(tf.make_tensor_proto(list(encoded), tf.string))
    return request


def predictions(response: PredictResponse) -> list[Prediction]:
    """Returns the predictions in the order of the pictures."""
    classes = tf.make_ndarray(response.outputs[_CLASSES])
    scores = tf.make_ndarray(response.outputs[_SCORES])
    return [
        Prediction(tuple(name.decode() for name in names), tuple(row.tolist()))
        for names, row in zip(classes, scores, strict=True)
    ]


def picture_settings(response: PredictResponse) -> PictureSettings:
    """Returns how pictures have to become canonical for the model that answered."""
    if OUTPUT not in response.outputs:
        return PictureSettings()
    return PictureSettings.decoded(tf.make_ndarray(response.outputs[OUTPUT]).ravel()[0])


def status_request(spec: ModelSpec) -> GetModelStatusRequest:
    return GetModelStatusRequest(model_spec=spec)


def statuses(response: GetModelStatusResponse) -> list[VersionStatus]:
    return [
        VersionStatus(
            entry.version,
            ModelVersionStatus.State.Name(entry.state),
            entry.status.error_message,
        )
        for entry in response.model_version_status
    ]


def metadata_request(spec: ModelSpec) -> GetModelMetadataRequest:
    return GetModelMetadataRequest(model_spec=spec, metadata_field=[_METADATA_FIELD])


def signatures(response: GetModelMetadataResponse) -> dict[str, Signature]:
    found = SignatureDefMap()
    response.metadata[_METADATA_FIELD].Unpack(found)
    return {
        name: Signature(_specs(entry.inputs), _specs(entry.outputs))
        for name, entry in found.signature_def.items()
    }


def _specs(tensors: dict[str, TensorInfo] | Any) -> dict[str, TensorSpec]:
    return {
        alias: TensorSpec(
            DataType.Name(info.dtype),
            None
            if info.tensor_shape.unknown_rank
            else tuple(dim.size for dim in info.tensor_shape.dim),
        )
        for alias, info in tensors.items()
    }
