from __future__ import annotations

import base64
import socket
from typing import Any

import pytest
import tensorflow as tf
from PIL import Image

from tests.serving.conftest import VERSION
from tests.serving.samples import jpeg, png
from tests.serving.server_process import RemoteServer, ServerAt
from tests.serving.tiny_model import predict_request

RED = png(Image.new("RGB", (8, 8), "red"))
BLUE = jpeg(Image.new("RGB", (8, 8), "blue"))
MODEL = "/v1/models/classifier"


def b64(data: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(data).decode()}


def test_instances_are_answered_with_a_prediction_each(server: ServerAt) -> None:
    status, answer = server.rest(f"{MODEL}:predict", {"instances": [b64(RED), b64(BLUE)]})
    assert status == 200
    assert [each["classes"][0] for each in answer["predictions"]] == ["red", "blue"]
    assert [len(each["scores"]) for each in answer["predictions"]] == [3, 3]


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [{"inputs": b64(RED)}]},
        {"inputs": [b64(RED)]},
        {"inputs": {"inputs": [b64(RED)]}},
        {"signature_name": "serving_default", "inputs": [b64(RED)]},
    ],
)
def test_all_forms_of_a_request_get_the_same_answer_as_over_grpc(
    body: dict[str, Any], server: ServerAt
) -> None:
    status, answer = server.rest(f"{MODEL}:predict", body)
    assert status == 200
    outputs = answer.get("outputs") or {
        key: [each[key] for each in answer["predictions"]] for key in ("classes", "scores")
    }
    expected = server.predictions.Predict(predict_request([RED])).outputs
    assert outputs["classes"] == [["red", "blue", "green"]]
    # JSON has the shortest decimals that read back as the same float32.
    assert outputs["scores"] == [
        [pytest.approx(score, abs=1e-7) for score in expected["scores"].float_val]
    ]


def test_classify_answers_labels_and_scores_as_over_grpc(server: ServerAt) -> None:
    from tests.serving.contract.test_classify import classification, example

    body = {"signature_name": "serve_examples", "examples": [{"image/encoded": b64(RED)}] * 2}
    status, answer = server.rest(f"{MODEL}:classify", body)
    assert status == 200
    expected = server.predictions.Classify(classification(example("red"))).result
    pairs = [
        [entry.label, pytest.approx(entry.score, abs=1e-7)]
        for entry in expected.classifications[0].classes
    ]
    assert answer == {"results": [pairs, pairs]}


def test_a_context_goes_into_every_example(server: ServerAt) -> None:
    body = {"signature_name": "serve_examples", "context": {"image/encoded": [b64(BLUE)]}}
    status, answer = server.rest(f"{MODEL}:classify", body | {"examples": [{"seen": [1, 2]}]})
    assert status == 200
    assert max(answer["results"][0], key=lambda entry: entry[1])[0] == "blue"


def test_regress_answers_that_it_can_not(server: ServerAt) -> None:
    status, answer = server.rest(f"{MODEL}:regress", {"examples": [{}]})
    assert status >= 400
    assert answer["error"]


@pytest.mark.parametrize("version", [f"/versions/{VERSION}", ""])
def test_a_version_can_be_named(version: str, server: ServerAt) -> None:
    assert server.rest(f"{MODEL}{version}:predict", {"inputs": [b64(RED)]})[0] == 200


def test_numbers_and_nested_lists_reach_the_graph(server: ServerAt) -> None:
    body = {"signature_name": "busy", "inputs": {"seconds": 0}}
    status, answer = server.rest(f"{MODEL}:predict", body)
    assert (status, answer) == (200, {"outputs": 0})


REFUSED = [
    (f"{MODEL}:predict", b"", 400, "JSON Parse error"),
    (f"{MODEL}:predict", b"{", 400, "JSON Parse error"),
    (f"{MODEL}:predict", b"[" * 100_000, 400, "JSON Parse error"),
    (f"{MODEL}:predict", [1], 400, "Is not object"),
    (f"{MODEL}:predict", {}, 400, "Missing 'inputs' or 'instances' key"),
    (f"{MODEL}:predict", {"inputs": [], "instances": []}, 400, "only one of"),
    (f"{MODEL}:predict", {"instances": []}, 400, "list with values"),
    (f"{MODEL}:predict", {"instances": [{"b64": "?"}]}, 400, "Unable to base64 decode"),
    (f"{MODEL}:predict", {"instances": [{"images": "x"}]}, 400, "must be equal to"),
    (f"{MODEL}:predict", {"instances": [{"inputs": "x"}, "x"]}, 400, "Element 1"),
    (f"{MODEL}:predict", {"instances": [["x"], "x"]}, 400, "list of size 1 is expected"),
    (f"{MODEL}:predict", {"instances": [1.5]}, 400, "is not of expected type: string"),
    (f"{MODEL}:predict", {"instances": [b64(b"no picture")]}, 400, "Unknown image file format"),
    (f"{MODEL}:predict", {"signature_name": 1, "inputs": 1}, 400, "must be a string"),
    (
        f"{MODEL}:predict",
        {"signature_name": "s", "inputs": ["x"]},
        400,
        'Serving signature name: "s" not found in signature def',
    ),
    (
        f"{MODEL}:predict",
        {"signature_name": "busy", "inputs": {"seconds": "x"}},
        400,
        "is not of expected type: float",
    ),
    ("/v1/models/m:predict", {"inputs": 1}, 404, "Servable not found for request: Latest(m)"),
    (f"{MODEL}/versions/7:predict", {"inputs": 1}, 404, "Specific(classifier, 7)"),
    (f"{MODEL}/versions/{2**70}:predict", {"inputs": 1}, 400, "Failed to convert version"),
    (f"{MODEL}/labels/x:predict", {"inputs": 1}, 400, "version label: x"),
    (f"{MODEL}:explain", {"inputs": 1}, 400, "Malformed request: POST /v1/models/classifier:exp"),
    (f"{MODEL}:classify", b"{", 400, "JSON Parse error"),
    (f"{MODEL}:classify", {"examples": []}, 400, "'examples'"),
    (f"{MODEL}:classify", {"examples": [1]}, 400, "Example must be JSON object"),
    (f"{MODEL}:classify", {"examples": [{"x": None}]}, 400, "x has element with unexpected JSON"),
    (f"{MODEL}:classify", {"examples": [{"x": [1, "1"]}]}, 400, "Unexpected element type"),
    (f"{MODEL}:classify", {"examples": [{"x": 2**70}]}, 400, "Feature: x"),
    (f"{MODEL}:classify", {"signature_name": "s", "examples": [{}]}, 400, "with the name: s"),
    ("/v1/models/m:classify", {"examples": [{}]}, 404, "Latest(m)"),
    ("/v2/models", {}, 404, "Not found"),
]


@pytest.mark.parametrize(("path", "body", "status", "message"), REFUSED)
def test_a_wrong_request_is_refused_in_json(
    path: str, body: Any, status: int, message: str, server: ServerAt
) -> None:
    found, answer = server.rest(path, body)
    assert found == status
    assert message in answer["error"] or isinstance(server, RemoteServer)  # parsers differ


def test_status_is_written_out_in_full(server: ServerAt) -> None:
    well = {"error_code": "OK", "error_message": ""}
    entry = {"version": str(VERSION), "state": "AVAILABLE", "status": well}
    for path in (MODEL, f"{MODEL}/versions/{VERSION}"):
        assert server.rest(path) == (200, {"model_version_status": [entry]})
    assert server.rest(f"{MODEL}/versions/7") == (
        404,
        {"error": "Could not find version 7 of model classifier"},
    )
    assert server.rest("/v1/models/m")[0] == 404


def test_metadata_is_written_out_in_full(server: ServerAt) -> None:
    status, answer = server.rest(f"{MODEL}/metadata")
    assert status == 200
    assert answer["model_spec"] == {
        "name": "classifier",
        "signature_name": "",
        "version": str(VERSION),
    }
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["inputs"] == {
        "dtype": "DT_STRING",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
        "name": "serving_default_inputs:0",
    }


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_other_methods_are_refused_in_json(method: str, server: ServerAt) -> None:
    status, answer = server.rest(MODEL, method=method)
    assert status == 501
    assert method in answer["error"]


def test_what_is_no_http_does_not_take_the_server_down(server: ServerAt) -> None:
    for noise in (b"\0" * 1000, b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.rest_port)) as connection:
            connection.sendall(noise)
    assert server.rest(MODEL)[0] == 200
    assert "Traceback" not in server.log()


def test_a_request_survives_a_round_trip_through_tensors() -> None:
    from serving.local_server.json_tensors import answer

    outputs = {
        "raw_bytes": tf.make_tensor_proto([b"\xff\0"]),
        "score": tf.make_tensor_proto([0.1], tf.float32),
        "seen": tf.make_tensor_proto([True]),
    }
    assert answer(outputs, row=True) == {
        "predictions": [{"raw_bytes": b64(b"\xff\0"), "score": 0.1, "seen": True}]
    }
