"""Requests over gRPC, as functions of a server; each names the change that it makes."""

from __future__ import annotations

import json
from collections.abc import Callable

import grpc
import tensorflow as tf
from google.protobuf.text_format import MessageToString
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub
from PIL import Image
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    SignatureDefMap,
)
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.inference_pb2 import MultiInferenceRequest
from tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.regression_pb2 import RegressionRequest

from tests.serving.contract.asking import Answer, Grpc, Question
from tests.serving.samples import jpeg, png
from tests.serving.server_process import ServerAt
from tests.serving.tiny_model import busy_request, predict_request

RED = png(Image.new("RGB", (8, 8), "red"))
BLUE_PNG = png(Image.new("RGB", (8, 8), "blue"))
BLUE = jpeg(Image.new("RGB", (8, 8), "blue"))
PREDICT = "/tensorflow.serving.PredictionService/Predict"


def unchanged(request: object) -> None:
    """Leaves the request as it is."""


def example(*pictures: bytes) -> tf.train.Example:
    """Returns an example with the pictures in its one feature; without any it has none."""
    made = tf.train.Example()
    if pictures:
        made.features.feature["image/encoded"].bytes_list.value.extend(pictures)
    return made


def predicting(change: Callable[[PredictRequest], object] = unchanged) -> Grpc:
    def ask(server: ServerAt) -> object:
        request = predict_request([RED])
        change(request)
        return server.predictions.Predict(request, timeout=60)

    return ask


def sending(*pictures: bytes) -> Grpc:
    return lambda server: server.predictions.Predict(predict_request(pictures), timeout=60)


def tensor(value: object, **options: object) -> Grpc:
    proto = tf.make_tensor_proto(value, **options)
    return predicting(lambda request: request.inputs["inputs"].CopyFrom(proto))


def busy(change: Callable[[tf.compat.v1.TensorProto], object] = unchanged) -> Grpc:
    """Asks the signature `busy` for no time at all, after a change of its tensor."""

    def ask(server: ServerAt) -> object:
        request = busy_request(0.0)
        change(request.inputs["seconds"])
        return server.predictions.Predict(request, timeout=60)

    return ask


def classifying(
    change: Callable[[ClassificationRequest], object] = unchanged, *examples: tf.train.Example
) -> Grpc:
    def ask(server: ServerAt) -> object:
        request = ClassificationRequest()
        request.model_spec.name = "classifier"
        request.model_spec.signature_name = "serve_examples"
        request.input.example_list.examples.extend(examples or [example(RED)])
        change(request)
        return server.predictions.Classify(request, timeout=60)

    return ask


def with_context(*examples: tf.train.Example) -> Grpc:
    """Asks to classify examples in the context of a red picture."""

    def change(request: ClassificationRequest) -> None:
        request.input.example_list_with_context.context.CopyFrom(example(RED))
        request.input.example_list_with_context.examples.extend(examples)

    return classifying(change)


def regressing(server: ServerAt) -> object:
    request = RegressionRequest()
    request.model_spec.name = "classifier"
    request.model_spec.signature_name = "serve_examples"
    request.input.example_list.examples.append(example(RED))
    return server.predictions.Regress(request, timeout=60)


def inferring(server: ServerAt) -> object:
    request = MultiInferenceRequest()
    task = request.tasks.add(method_name="tensorflow/serving/classify")
    task.model_spec.name = "classifier"
    task.model_spec.signature_name = "serve_examples"
    request.input.example_list.examples.append(example(RED))
    return server.predictions.MultiInference(request, timeout=60)


def metadata(
    *fields: str, change: Callable[[GetModelMetadataRequest], object] = unchanged
) -> Callable[[ServerAt], object]:
    def ask(server: ServerAt) -> object:
        request = GetModelMetadataRequest(metadata_field=fields)
        request.model_spec.name = "classifier"
        change(request)
        return server.predictions.GetModelMetadata(request)

    return ask


def metadata_spec(
    *fields: str, change: Callable[[GetModelMetadataRequest], object] = unchanged
) -> Grpc:
    ask = metadata(*fields, change=change)
    return lambda server: ask(server).model_spec


def signatures(server: ServerAt) -> object:
    found = SignatureDefMap()
    metadata("signature_def")(server).metadata["signature_def"].Unpack(found)
    texts = {name: MessageToString(signature) for name, signature in found.signature_def.items()}
    return json.dumps(texts, indent=1, sort_keys=True)


def status(change: Callable[[GetModelStatusRequest], object] = unchanged) -> Grpc:
    def ask(server: ServerAt) -> object:
        request = GetModelStatusRequest()
        request.model_spec.name = "classifier"
        change(request)
        return server.models.GetModelStatus(request)

    return ask


def health(service: str) -> Grpc:
    return lambda server: HealthStub(server.channel).Check(HealthCheckRequest(service=service))


def reload_request(server: ServerAt, **labels: int) -> ReloadConfigRequest:
    request = ReloadConfigRequest()
    model = request.config.model_config_list.config.add(
        name="classifier", base_path=server.base_path, model_platform="tensorflow"
    )
    for label, version in labels.items():
        model.version_labels[label] = version
    return request


def reloading(change: Callable[[ReloadConfigRequest], object] = unchanged, **labels: int) -> Grpc:
    """Asks for a changed reload, and undoes it."""

    def ask(server: ServerAt) -> object:
        request = reload_request(server, **labels)
        change(request)
        try:
            return server.models.HandleReloadConfigRequest(request, timeout=60)
        finally:
            server.models.HandleReloadConfigRequest(reload_request(server), timeout=60)

    return ask


def model(**fields: str) -> Callable[[ReloadConfigRequest], None]:
    """Returns the change of the model in a reload."""

    def change(request: ReloadConfigRequest) -> None:
        for field, value in fields.items():
            setattr(request.config.model_config_list.config[0], field, value)

    return change


def labelled(label: str, version: int, question: Question) -> Question:
    """Asks while the version has the label."""

    def ask(server: ServerAt) -> Answer:
        server.models.HandleReloadConfigRequest(reload_request(server, **{label: version}))
        try:
            return question(server)
        finally:
            server.models.HandleReloadConfigRequest(reload_request(server))

    return ask


def raw(data: bytes) -> Grpc:
    """Sends bytes that need not be a PredictRequest."""
    return lambda server: server.channel.unary_unary(PREDICT)(data, timeout=60)


def streamed(*messages: bytes) -> Grpc:
    """Sends a stream where one message belongs; without messages it is half closed at once."""
    return lambda server: server.channel.stream_unary(PREDICT)(iter(messages), timeout=10)


def unknown_method(server: ServerAt) -> object:
    return server.channel.unary_unary(PREDICT + "s")(b"", timeout=10)


def late(request: PredictRequest, seconds: float) -> Grpc:
    return lambda server: server.predictions.Predict(request, timeout=seconds)


def cancelled(server: ServerAt) -> object:
    call: grpc.Future = server.predictions.Predict.future(busy_request(0.5))
    call.cancel()
    return call.result()
