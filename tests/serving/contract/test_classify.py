from __future__ import annotations

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tensorflow_serving.apis.regression_pb2 import RegressionRequest

from tests.serving.conftest import VERSION
from tests.serving.samples import png
from tests.serving.server_process import RemoteServer, ServerAt
from tests.serving.tiny_model import CLASSES


def example(colour: str) -> tf.train.Example:
    made = tf.train.Example()
    encoded = png(Image.new("RGB", (8, 8), colour))
    made.features.feature["image/encoded"].bytes_list.value.append(encoded)
    return made


def classification(*examples: tf.train.Example) -> ClassificationRequest:
    request = ClassificationRequest()
    request.model_spec.name = "classifier"
    request.model_spec.signature_name = "serve_examples"
    request.input.example_list.examples.extend(examples)
    return request


def refusal(server: ServerAt, request: ClassificationRequest) -> tuple[str, str]:
    with pytest.raises(grpc.RpcError) as refused:
        server.predictions.Classify(request)
    return refused.value.code().name, refused.value.details()


def test_classify_gives_labels_with_scores_per_example(server: ServerAt) -> None:
    response = server.predictions.Classify(classification(example("red"), example("blue")))
    answers = response.result.classifications
    assert [[entry.label for entry in answer.classes] for answer in answers] == [[*CLASSES]] * 2
    scores = np.array([[entry.score for entry in answer.classes] for answer in answers])
    assert scores.argmax(axis=1).tolist() == [2, 0]
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-6)
    assert response.model_spec.version.value == VERSION
    assert response.model_spec.signature_name == "serve_examples"


def test_a_context_goes_into_every_example(server: ServerAt) -> None:
    request = classification()
    with_context = request.input.example_list_with_context
    with_context.context.CopyFrom(example("red"))
    with_context.examples.add()
    answers = server.predictions.Classify(request).result.classifications
    assert max(answers[0].classes, key=lambda entry: entry.score).label == "red"


def test_an_unknown_signature_is_refused(server: ServerAt) -> None:
    request = classification(example("red"))
    request.model_spec.signature_name = "s"
    expected = ("INVALID_ARGUMENT", "No signature was found with the name: s")
    assert refusal(server, request) == expected


def test_an_empty_input_is_refused(server: ServerAt) -> None:
    assert refusal(server, classification()) == ("INVALID_ARGUMENT", "Input is empty.")


def test_a_signature_without_classes_is_refused(server: ServerAt) -> None:
    request = classification(example("red"))
    request.model_spec.signature_name = "busy"
    assert refusal(server, request)[0] == "FAILED_PRECONDITION"


def test_regress_is_not_served(server: ServerAt) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        server.predictions.Regress(RegressionRequest())
    if not isinstance(server, RemoteServer):
        assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
