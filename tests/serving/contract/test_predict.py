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
from tests.serving.contract.grpc_requests import BLUE, RED
from tests.serving.samples import png
from tests.serving.server_process import ServerAt
from tests.serving.tiny_model import busy_request, predict_request


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
