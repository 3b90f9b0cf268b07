"""TensorFlow Serving's messages and services, as a client needs them, without TensorFlow."""

from __future__ import annotations

from typing import Any

from serving.api.schema import messages

_MESSAGES = messages()


def _message(name: str) -> Any:
    return _MESSAGES[f"tensorflow.serving.{name}"]


DataType = _MESSAGES["tensorflow.TensorProto"].DESCRIPTOR.fields_by_name["dtype"].enum_type
Example = _MESSAGES["tensorflow.Example"]
TensorProto = _MESSAGES["tensorflow.TensorProto"]

GetModelMetadataRequest = _message("GetModelMetadataRequest")
GetModelMetadataResponse = _message("GetModelMetadataResponse")
GetModelStatusRequest = _message("GetModelStatusRequest")
GetModelStatusResponse = _message("GetModelStatusResponse")
ModelServerConfig = _message("ModelServerConfig")
ModelSpec = _message("ModelSpec")
ModelVersionStatus = _message("ModelVersionStatus")
PredictRequest = _message("PredictRequest")
PredictResponse = _message("PredictResponse")
ReloadConfigRequest = _message("ReloadConfigRequest")
ReloadConfigResponse = _message("ReloadConfigResponse")
SignatureDefMap = _message("SignatureDefMap")

BatchingParameters = _message("BatchingParameters")
MonitoringConfig = _message("MonitoringConfig")
SSLConfig = _message("SSLConfig")


class PredictionServiceStub:
    """The calls of `tensorflow.serving.PredictionService` that a client makes."""

    def __init__(self, channel: Any) -> None:
        """Binds the calls to a channel of `grpc` or `grpc.aio`."""
        service = "PredictionService"
        self.Predict = _call(channel, service, "Predict", PredictRequest, PredictResponse)
        self.GetModelMetadata = _call(
            channel, service, "GetModelMetadata", GetModelMetadataRequest, GetModelMetadataResponse
        )


class ModelServiceStub:
    """The calls of `tensorflow.serving.ModelService`."""

    def __init__(self, channel: Any) -> None:
        """Binds the calls to a channel of `grpc` or `grpc.aio`."""
        service = "ModelService"
        self.GetModelStatus = _call(
            channel, service, "GetModelStatus", GetModelStatusRequest, GetModelStatusResponse
        )
        self.HandleReloadConfigRequest = _call(
            channel, service, "HandleReloadConfigRequest", ReloadConfigRequest, ReloadConfigResponse
        )


def _call(channel: Any, service: str, method: str, request: Any, response: Any) -> Any:
    return channel.unary_unary(
        f"/tensorflow.serving.{service}/{method}",
        request_serializer=request.SerializeToString,
        response_deserializer=response.FromString,
    )
