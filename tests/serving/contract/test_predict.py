from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from tests.serving.conftest import VERSION
from tests.serving.samples import jpeg, png
from tests.serving.server_process import ServerAt
from tests.serving.tiny_model import busy_request, predict_request

RED = png(Image.new("RGB", (8, 8), "red"))
BLUE = jpeg(Image.new("RGB", (8, 8), "blue"))


def refusal(server: ServerAt, request: PredictRequest) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as refused:
        server.predictions.Predict(request, timeout=30)
    return refused.value.code().name, refused.value.details()


def changed(change: Callable[[PredictRequest], object]) -> PredictRequest:
    request = predict_request([RED])
    change(request)
    return request


def test_predict_answers_what_the_model_answers_in_process(
    server: ServerAt, saved_model: Path
) -> None:
    model = tf.saved_model.load(str(saved_model))
    expected = model.signatures["serving_default"](inputs=tf.constant([RED, BLUE]))
    response = server.predictions.Predict(predict_request([RED, BLUE]))
    classes = tf.make_ndarray(response.outputs["classes"])
    scores = tf.make_ndarray(response.outputs["scores"])
    assert (classes == expected["classes"].numpy()).all()
    assert classes[:, 0].tolist() == [b"red", b"blue"]
    np.testing.assert_allclose(scores, expected["scores"].numpy(), atol=1e-6)
    assert (np.diff(scores) <= 0).all()


def test_the_answer_names_model_version_and_signature(server: ServerAt) -> None:
    spec = server.predictions.Predict(predict_request([RED])).model_spec
    assert (spec.name, spec.version.value) == ("classifier", VERSION)
    assert spec.signature_name == "serving_default"


def test_values_are_in_the_field_of_their_dtype(server: ServerAt) -> None:
    outputs = server.predictions.Predict(predict_request([RED])).outputs
    assert len(outputs["scores"].float_val) == 3
    assert outputs["classes"].string_val[0] == b"red"


def test_an_output_filter_leaves_out_the_rest(server: ServerAt) -> None:
    request = changed(lambda request: request.output_filter.append("scores"))
    assert list(server.predictions.Predict(request).outputs) == ["scores"]


def test_serialized_examples_are_a_signature_like_any_other(server: ServerAt) -> None:
    example = tf.train.Example()
    example.features.feature["image/encoded"].bytes_list.value.append(RED)
    request = predict_request([example.SerializeToString()])
    request.model_spec.signature_name = "serve_examples"
    outputs = server.predictions.Predict(request).outputs
    assert list(outputs["classes"].string_val) == [b"blue", b"green", b"red"]


def test_an_empty_batch_has_an_empty_answer(server: ServerAt) -> None:
    scores = server.predictions.Predict(predict_request([])).outputs["scores"]
    assert [dim.size for dim in scores.tensor_shape.dim] == [0, 3]


def test_messages_may_be_larger_than_4_mib(server: ServerAt) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8)
    assert len(png(Image.fromarray(noise))) > 6_000_000
    server.predictions.Predict(predict_request([png(Image.fromarray(noise))]))


def as_floats(request: PredictRequest) -> None:
    request.inputs["inputs"].CopyFrom(tf.make_tensor_proto([0.5]))


def as_scalar(request: PredictRequest) -> None:
    request.inputs["inputs"].CopyFrom(tf.make_tensor_proto(RED))


def with_another_key(request: PredictRequest) -> None:
    request.inputs["images"].CopyFrom(request.inputs.pop("inputs"))


def with_impossible_shape(request: PredictRequest) -> None:
    request.inputs["inputs"].tensor_shape.dim[0].size = -5


REFUSED = {
    "no model_spec": (
        lambda request: request.ClearField("model_spec"),
        "INVALID_ARGUMENT",
        "Missing ModelSpec",
    ),
    "empty name": (
        lambda request: setattr(request.model_spec, "name", ""),
        "INVALID_ARGUMENT",
        "ModelSpec has no name specified.",
    ),
    "unknown model": (
        lambda request: setattr(request.model_spec, "name", "m"),
        "NOT_FOUND",
        "Servable not found for request: Latest(m)",
    ),
    "unknown version": (
        lambda request: setattr(request.model_spec.version, "value", 7),
        "NOT_FOUND",
        "Servable not found for request: Specific(classifier, 7)",
    ),
    "unknown label": (
        lambda request: setattr(request.model_spec, "version_label", "x"),
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: x",
    ),
    "unknown signature": (
        lambda request: setattr(request.model_spec, "signature_name", "s"),
        "FAILED_PRECONDITION",
        'Serving signature key "s" not found.',
    ),
    "no input": (
        lambda request: request.inputs.clear(),
        "INVALID_ARGUMENT",
        "input size does not match signature: 0!=1 len({}) != len({inputs})."
        " Sent extra: {}. Missing but required: {inputs}.",
    ),
    "another input": (
        with_another_key,
        "INVALID_ARGUMENT",
        "input size does not match signature: 1!=1 len({images}) != len({inputs})."
        " Sent extra: {images}. Missing but required: {inputs}.",
    ),
    "one input more": (
        lambda request: request.inputs["more"].CopyFrom(tf.make_tensor_proto(1)),
        "INVALID_ARGUMENT",
        "input size does not match signature: 2!=1 len({inputs,more}) != len({inputs})."
        " Sent extra: {more}. Missing but required: {}.",
    ),
    "unknown output": (
        lambda request: request.output_filter.append("a"),
        "INVALID_ARGUMENT",
        "output tensor alias not found in signature: a"
        " Outputs expected to be in the set {classes,scores}.",
    ),
    "output asked for twice": (
        lambda request: request.output_filter.extend(["scores", "scores"]),
        "INVALID_ARGUMENT",
        "duplicate output tensor alias: scores",
    ),
    "another dtype": (
        as_floats,
        "INVALID_ARGUMENT",
        "Expects arg[0] to be string but float is provided",
    ),
    "no dtype": (
        lambda request: request.inputs["inputs"].ClearField("dtype"),
        "INVALID_ARGUMENT",
        "Expects arg[0] to be string but invalid is provided",
    ),
    "a dtype that does not exist": (
        lambda request: setattr(request.inputs["inputs"], "dtype", 9999),
        "INVALID_ARGUMENT",
        "Expects arg[0] to be string but unknown 9999 is provided",
    ),
    "a tensor that contradicts itself": (
        with_impossible_shape,
        "INVALID_ARGUMENT",
        "tensor parsing error: inputs",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_request_is_refused_as_tensorflow_serving_does(case: str, server: ServerAt) -> None:
    change, code, message = REFUSED[case]
    assert refusal(server, changed(change)) == (code, message)


def test_another_shape_is_refused(server: ServerAt) -> None:
    assert refusal(server, changed(as_scalar))[0] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("broken", [b"", b"no picture", RED[:-30], BLUE[: len(BLUE) // 2]])
def test_a_broken_picture_is_refused_and_the_server_lives(broken: bytes, server: ServerAt) -> None:
    code, message = refusal(server, predict_request([RED, broken]))
    assert code == "INVALID_ARGUMENT"
    assert "Graph execution error" not in message
    assert server.predictions.Predict(predict_request([RED])).outputs["classes"].string_val


def test_long_messages_are_cut(server: ServerAt) -> None:
    request = changed(lambda request: setattr(request.model_spec, "signature_name", "s" * 3000))
    _, message = refusal(server, request)
    assert len(message) == 1024 + len("...TRUNCATED")
    assert message.endswith("sss...TRUNCATED")


def test_a_deadline_ends_the_wait(server: ServerAt) -> None:
    with pytest.raises(grpc.RpcError) as late:
        server.predictions.Predict(busy_request(1.0), timeout=0.2)
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
