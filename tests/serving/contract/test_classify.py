from __future__ import annotations

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.classification_pb2 import ClassificationRequest

from tests.serving.conftest import VERSION
from tests.serving.contract.grpc_requests import BLUE, RED, example
from tests.serving.server_process import ServerAt
from tests.serving.tiny_model import CLASSES


def classification(*examples: tf.train.Example) -> ClassificationRequest:
    request = ClassificationRequest()
    request.model_spec.name = "classifier"
    request.model_spec.signature_name = "serve_examples"
    request.input.example_list.examples.extend(examples)
    return request


def test_classify_gives_labels_with_scores_per_example(server: ServerAt) -> None:
    response = server.predictions.Classify(classification(example(RED), example(BLUE)))
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
    with_context.context.CopyFrom(example(RED))
    with_context.examples.add()
    answers = server.predictions.Classify(request).result.classifications
    assert max(answers[0].classes, key=lambda entry: entry.score).label == "red"
