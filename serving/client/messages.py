"""TensorFlow Serving's messages, to and from plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from serving.api import (
    DataType,
    GetModelMetadataRequest,
    GetModelStatusRequest,
    ModelServiceStub,
    ModelSpec,
    ModelVersionStatus,
    PredictionServiceStub,
    PredictRequest,
    SignatureDefMap,
    tensors,
)
from serving.client.results import Prediction, Signature, TensorSpec, VersionStatus
from serving.picture_settings import OUTPUT, PictureSettings
from serving.signatures import CERTAIN, CLASSES, DISTANCE, SCORES

__all__ = ["ModelServiceStub", "PredictionServiceStub"]

_INPUTS = "inputs"
_METADATA_FIELD = "signature_def"


def model_spec(name: str, version: int | None, label: str | None) -> Any:
    spec = ModelSpec(name=name)
    if version is not None:
        spec.version.value = version
    if label is not None:
        spec.version_label = label
    return spec


def predict_request(spec: Any, encoded: Sequence[bytes]) -> Any:
    """Asks `serving_default` for encoded pictures, `inputs`: DT_STRING [batch]."""
    request = PredictRequest(model_spec=spec)
    request.inputs[_INPUTS].CopyFrom(tensors.of_strings(encoded))
    return request


def predictions(response: Any) -> list[Prediction]:
    """Returns the predictions in the order of the pictures."""
    classes = tensors.array(response.outputs[CLASSES])
    scores = tensors.array(response.outputs[SCORES])
    certain, distance = (
        tensors.array(response.outputs[name]).tolist()
        if name in response.outputs
        else [None] * len(scores)
        for name in (CERTAIN, DISTANCE)
    )
    return [
        Prediction(tuple(name.decode() for name in names), tuple(row.tolist()), sure, far)
        for names, row, sure, far in zip(classes, scores, certain, distance, strict=True)
    ]


def picture_settings(response: Any) -> PictureSettings:
    """Returns how pictures have to become canonical for the model that answered."""
    if OUTPUT not in response.outputs:
        return PictureSettings()
    return PictureSettings.decoded(tensors.array(response.outputs[OUTPUT]).ravel()[0])


def status_request(spec: Any) -> Any:
    return GetModelStatusRequest(model_spec=spec)


def statuses(response: Any) -> list[VersionStatus]:
    return [
        VersionStatus(
            entry.version,
            ModelVersionStatus.State.Name(entry.state),
            entry.status.error_message,
        )
        for entry in response.model_version_status
    ]


def metadata_request(spec: Any) -> Any:
    return GetModelMetadataRequest(model_spec=spec, metadata_field=[_METADATA_FIELD])


def signatures(response: Any) -> dict[str, Signature]:
    found = SignatureDefMap()
    response.metadata[_METADATA_FIELD].Unpack(found)
    return {
        name: Signature(_specs(entry.inputs), _specs(entry.outputs))
        for name, entry in found.signature_def.items()
    }


def _specs(infos: Mapping[str, Any]) -> dict[str, TensorSpec]:
    return {
        alias: TensorSpec(
            DataType.values_by_number[info.dtype].name,
            None
            if info.tensor_shape.unknown_rank
            else tuple(dim.size for dim in info.tensor_shape.dim),
        )
        for alias, info in infos.items()
    }
