"""Regress and MultiInference, of a model that can both."""

from __future__ import annotations

import grpc
import pytest
import tensorflow as tf
from tensorflow_serving.apis.inference_pb2 import MultiInferenceRequest
from tensorflow_serving.apis.regression_pb2 import RegressionRequest

from serving.local_server.errors import ServingError
from serving.local_server.multi_inference import infer
from serving.local_server.regress import regress
from serving.local_server.servable import Servable

CLASSIFY, REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
EXAMPLES = tf.TensorSpec([None], tf.string, name="inputs")


class Lengths(tf.Module):
    """Tells how long an example is when it is serialized."""

    @tf.function(input_signature=[EXAMPLES])
    def length(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": tf.cast(tf.strings.length(inputs), tf.float32)}

    @tf.function(input_signature=[EXAMPLES])
    def column(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": self.length(inputs)["outputs"][:, tf.newaxis]}

    @tf.function(input_signature=[EXAMPLES])
    def integers(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": tf.strings.length(inputs)}

    @tf.function(input_signature=[EXAMPLES])
    def five(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": tf.zeros([5])}

    @tf.function(input_signature=[EXAMPLES])
    def cube(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": tf.zeros([1, 2, 3])}

    @tf.function(input_signature=[EXAMPLES])
    def scores(self, inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": self.column(inputs)["outputs"]}


@pytest.fixture(scope="module")
def servable(tmp_path_factory: pytest.TempPathFactory) -> Servable:
    path = tmp_path_factory.mktemp("lengths") / "1"
    model = Lengths()
    names = ("length", "column", "integers", "five", "cube", "scores")
    tf.saved_model.save(model, str(path), signatures={name: getattr(model, name) for name in names})
    return Servable("lengths", 1, path)


def examples() -> list[tf.train.Example]:
    """Returns an empty example, and one of more than four bytes."""
    long = tf.train.Example()
    long.features.feature["x"].int64_list.value.append(1)
    return [tf.train.Example(), long]


def multi(*tasks: tuple[str, str, str]) -> MultiInferenceRequest:
    request = MultiInferenceRequest()
    for model, signature, method in tasks:
        task = request.tasks.add(method_name=method)
        task.model_spec.name, task.model_spec.signature_name = model, signature
    request.input.example_list.examples.extend(examples())
    return request


def regression(signature: str) -> RegressionRequest:
    request = RegressionRequest()
    request.model_spec.signature_name = signature
    request.input.example_list.examples.extend(examples())
    return request


@pytest.mark.parametrize("signature", ["length", "column"])
def test_regress_gives_a_number_per_example(signature: str, servable: Servable) -> None:
    response = regress(servable, regression(signature))
    sizes = [float(example.ByteSize()) for example in examples()]
    assert [entry.value for entry in response.result.regressions] == sizes
    spec = response.model_spec
    assert (spec.name, spec.version.value, spec.signature_name) == ("lengths", 1, signature)


@pytest.mark.parametrize(
    ("signature", "fault"),
    [
        ("none", "No signature was found with the name: none"),
        ("scores", "No regression outputs found in SignatureDef: "),
        ("integers", "Expected output Tensor of DT_FLOAT.  Got: DT_INT32"),
        ("five", "Input batch size did not match output batch size: 2 vs. 5"),
        (
            "cube",
            "Expected output Tensor shape to be either [batch_size] or [batch_size, 1]"
            " but got [1,2,3]",
        ),
    ],
)
def test_what_is_no_regression_is_refused(signature: str, fault: str, servable: Servable) -> None:
    with pytest.raises(ServingError) as refused:
        regress(servable, regression(signature))
    assert refused.value.code == grpc.StatusCode.INVALID_ARGUMENT
    assert refused.value.message.startswith(fault)


def test_multi_inference_answers_each_task_in_its_place(servable: Servable) -> None:
    response = infer(
        servable, multi(("lengths", "length", REGRESS), ("lengths", "scores", CLASSIFY))
    )
    regressed, classified = response.results
    numbers = [entry.value for entry in regressed.regression_result.regressions]
    scores = [
        [entry.score for entry in each.classes]
        for each in classified.classification_result.classifications
    ]
    assert scores == [[number] for number in numbers]
    assert classified.model_spec.signature_name == "scores"


@pytest.mark.parametrize(
    ("tasks", "code", "fault"),
    [
        ([("", "length", REGRESS)], "INVALID_ARGUMENT", "Found ModelSpec with an empty model name"),
        (
            [("lengths", "length", REGRESS), ("m", "scores", CLASSIFY)],
            "INVALID_ARGUMENT",
            "All ModelSpecs in a MultiInferenceRequest must access the same model name.",
        ),
        (
            [("lengths", "length", REGRESS)] * 2,
            "INVALID_ARGUMENT",
            "Duplicate evaluation of signature: length",
        ),
        (
            [("lengths", "none", REGRESS)],
            "INVALID_ARGUMENT",
            "Requested signature not found in model graph: none",
        ),
        (
            [("lengths", "length", "x")],
            "UNIMPLEMENTED",
            "Unsupported signature method_name: x",
        ),
        ([("lengths", "length", CLASSIFY)], "INVALID_ARGUMENT", "Expected classification"),
    ],
)
def test_tasks_that_do_not_fit_are_refused(
    tasks: list[tuple[str, str, str]], code: str, fault: str, servable: Servable
) -> None:
    with pytest.raises(ServingError) as refused:
        infer(servable, multi(*tasks))
    assert refused.value.code.name == code
    assert refused.value.message.startswith(fault)
