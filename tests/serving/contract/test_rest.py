from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.serving.conftest import VERSION
from tests.serving.contract.grpc_requests import BLUE, RED, example
from tests.serving.contract.questions_rest import MODEL, picture
from tests.serving.contract.test_classify import classification
from tests.serving.server_process import ServerAt
from tests.serving.tiny_model import predict_request


def test_instances_are_answered_with_a_prediction_each(server: ServerAt) -> None:
    status, answer = server.rest(f"{MODEL}:predict", {"instances": [picture(RED), picture(BLUE)]})
    assert status == 200
    assert [each["classes"][0] for each in answer["predictions"]] == ["red", "blue"]
    assert [len(each["scores"]) for each in answer["predictions"]] == [3, 3]


@pytest.mark.parametrize(
    "body",
    [
        {"instances": [{"inputs": picture(RED)}]},
        {"inputs": [picture(RED)]},
        {"inputs": {"inputs": [picture(RED)]}},
        {"signature_name": "serving_default", "inputs": [picture(RED)]},
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
    body = {"signature_name": "serve_examples", "examples": [{"image/encoded": picture(RED)}] * 2}
    status, answer = server.rest(f"{MODEL}:classify", body)
    assert status == 200
    expected = server.predictions.Classify(classification(example(RED))).result
    pairs = [
        [entry.label, pytest.approx(entry.score, abs=1e-7)]
        for entry in expected.classifications[0].classes
    ]
    assert answer == {"results": [pairs, pairs]}


def test_a_context_goes_into_every_example(server: ServerAt) -> None:
    body = {"signature_name": "serve_examples", "context": {"image/encoded": [picture(BLUE)]}}
    status, answer = server.rest(f"{MODEL}:classify", body | {"examples": [{"seen": [1, 2]}]})
    assert status == 200
    assert max(answer["results"][0], key=lambda entry: entry[1])[0] == "blue"


@pytest.mark.parametrize("version", [f"/versions/{VERSION}", ""])
def test_a_version_can_be_named(version: str, server: ServerAt) -> None:
    assert server.rest(f"{MODEL}{version}:predict", {"inputs": [picture(RED)]})[0] == 200


def test_numbers_and_nested_lists_reach_the_graph(server: ServerAt) -> None:
    body = {"signature_name": "busy", "inputs": {"seconds": 0}}
    status, answer = server.rest(f"{MODEL}:predict", body)
    assert (status, answer) == (200, {"outputs": 0})


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
    assert signature["defaults"] == {}


@pytest.mark.parametrize("verb", ["predict", "classify", "regress"])
@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe{}",
        b'{"inputs": "\\ud800", "examples": "\\ud800"}',
        b'{"inputs": 1e400, "examples": [{"x": 1e400}]}',
        b'{"inputs": %b, "examples": [{"x": [%b]}]}' % (b"9" * 5000, b"9" * 5000),
        b'{"inputs": %b, "examples": [%b]}' % ((b"[" * 900 + b"]" * 900,) * 2),
        b'{"instances": [[1], [[1]]], "examples": [[1], [[1]]]}',
        b'{"inputs": {"": null}, "examples": [{"": null}]}',
        b'{"instances": [{"inputs": 1}, 1], "examples": [{"inputs": 1}, 1]}',
    ],
)
def test_a_bad_body_is_the_clients_fault_whatever_it_holds(
    verb: str, body: bytes, server: ServerAt
) -> None:
    status, answer = server.rest(f"{MODEL}:{verb}", body)
    assert status == 400
    assert answer["error"]


def test_what_is_no_http_does_not_take_the_server_down(server: ServerAt) -> None:
    for noise in (b"\0" * 1000, b"GET\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.rest_port)) as connection:
            connection.sendall(noise)
    assert server.rest(MODEL)[0] == 200
    assert "Traceback" not in server.log()
