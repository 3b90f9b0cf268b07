"""Questions of golden.json to Predict, Classify, Regress and MultiInference, by their names."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.inference_pb2 import MultiInferenceRequest
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.regression_pb2 import RegressionRequest

from tests.serving.conftest import VERSION
from tests.serving.contract.asking import Grpc
from tests.serving.contract.grpc_requests import (
    BLUE,
    BLUE_PNG,
    RED,
    busy,
    classifying,
    example,
    inferring,
    late,
    predicting,
    raw,
    regressing,
    sending,
    streamed,
    tensor,
    unchanged,
    unknown_method,
    with_context,
)
from tests.serving.samples import encode, jpeg
from tests.serving.tiny_model import busy_request, predict_request


def large(side: int) -> bytes:
    """Returns a PNG that claims more pixels than its few bytes hold."""
    data = bytearray(RED)
    data[16:24] = side.to_bytes(4, "big") * 2
    return bytes(data)


def with_images(request: PredictRequest) -> None:
    request.inputs["images"].CopyFrom(request.inputs.pop("inputs"))


def with_floats(request: object) -> None:
    features = request.input.example_list.examples[0].features
    features.feature["image/encoded"].float_list.value.append(1)


def with_content(request: PredictRequest) -> None:
    """Sends the picture as Tensor::AsProtoTensorContent writes it: its length, then its bytes."""
    sent = request.inputs["inputs"]
    length = len(sent.string_val[0])
    assert length < 128
    sent.tensor_content = bytes([length]) + sent.string_val.pop()


def size(value: int) -> Grpc:
    return predicting(lambda r: setattr(r.inputs["inputs"].tensor_shape.dim[0], "size", value))


def spec(field: str, value: object) -> Grpc:
    return predicting(lambda r: setattr(r.model_spec, field, value))


def version(value: int) -> Grpc:
    return predicting(lambda r: setattr(r.model_spec.version, "value", value))


def dtype(value: int) -> Grpc:
    return predicting(lambda r: setattr(r.inputs["inputs"], "dtype", value))


REFUSED: dict[str, Grpc] = {
    "no model_spec": predicting(lambda r: r.ClearField("model_spec")),
    "empty name": spec("name", ""),
    "unknown model": spec("name", "m"),
    "unknown version": version(7),
    "unknown label": spec("version_label", "x"),
    "unknown signature": spec("signature_name", "s"),
    "no input": predicting(lambda r: r.inputs.clear()),
    "another input": predicting(with_images),
    "one input more": predicting(lambda r: r.inputs["more"].CopyFrom(tf.make_tensor_proto(1))),
    "unknown output": predicting(lambda r: r.output_filter.append("a")),
    "output asked for twice": predicting(lambda r: r.output_filter.extend(["scores"] * 2)),
    "another dtype": tensor([0.5]),
    "no dtype": dtype(0),
    "a dtype that does not exist": dtype(9999),
    "a tensor that contradicts itself": size(-5),
}

BAD: dict[str, Grpc] = {
    "floats": tensor([0.5]),
    "integers": tensor([1, 2]),
    "booleans": tensor([True]),
    "a tensor of a million floats": tensor(np.zeros(10**6, np.float32)),
    "a scalar": tensor(RED),
    "a matrix": tensor([[RED]]),
    "no dtype": dtype(0),
    "a negative size": size(-5),
    "more elements than sent": size(2**40),
    "another key": predicting(with_images),
    "one key more": predicting(lambda r: r.inputs["x"].SetInParent()),
    "no key": predicting(lambda r: r.inputs.clear()),
    "an unknown output": predicting(lambda r: r.output_filter.append("x")),
    "an output twice": predicting(lambda r: r.output_filter.extend(["scores"] * 2)),
    "no model_spec": predicting(lambda r: r.ClearField("model_spec")),
    "no name": predicting(lambda r: r.model_spec.ClearField("name")),
    "another name": spec("name", "x" * 5000),
    "version 0": version(0),
    "version -1": version(-1),
    "a label": spec("version_label", "x"),
    "a signature": spec("signature_name", "x"),
    "an empty picture": sending(b""),
    "no picture": sending(b"no picture"),
    "a truncated PNG": sending(RED[:-30]),
    "a truncated JPEG": sending(jpeg()[:400]),
    "a truncated GIF": sending(encode(Image.new("P", (8, 8)), "GIF")[:-8]),
    "a truncated BMP": sending(encode(Image.new("RGB", (8, 8)), "BMP")[:-100]),
    "a PNG that claims 2**31 rows": sending(large(2**31 - 1)),
    "a JPEG's head alone": sending(b"\xff\xd8\xff\xe0"),
    "a broken one among good ones": sending(*[RED] * 5, b"x"),
    "empty input": classifying(lambda r: r.ClearField("input")),
    "an Example without a picture": classifying(lambda r: r.input.example_list.examples[0].Clear()),
    "an Example of floats": classifying(with_floats),
    "Classify on an unknown signature": classifying(
        lambda r: setattr(r.model_spec, "signature_name", "x")
    ),
    "Classify without a name": classifying(lambda r: r.model_spec.ClearField("name")),
    "status without model_spec": lambda server: server.models.GetModelStatus(
        GetModelStatusRequest()
    ),
    "a deadline in the past": late(predict_request([RED]), -1),
    "a deadline too near": late(busy_request(0.5), 0.05),
    "an unknown method": unknown_method,
    "two empty messages": streamed(b"", b""),
    "a half-closed stream": streamed(),
    "bytes that are no message": raw(b"\xff" * 1000),
}

PREDICTED: dict[str, Grpc] = {
    "predict 2": sending(RED, BLUE),
    "predict filter": predicting(lambda r: r.output_filter.append("scores")),
    "predict filter order": predicting(lambda r: r.output_filter.extend(["scores", "classes"])),
    "predict empty batch": sending(),
    "predict explicit version": version(VERSION),
    "predict explicit signature": spec("signature_name", "serving_default"),
    "predict tensor_content string": predicting(with_content),
    "busy": busy(),
    "busy2": busy(lambda sent: sent.CopyFrom(tf.make_tensor_proto(np.float32(0)))),
    "busy vector": busy(lambda sent: sent.CopyFrom(tf.make_tensor_proto([0.0] * 3))),
    "busy empty float tensor": busy(lambda sent: sent.ClearField("float_val")),
    "busy int": busy(lambda sent: sent.CopyFrom(tf.make_tensor_proto(0))),
    "busy 3 bytes content": busy(lambda sent: setattr(sent, "tensor_content", b"abc")),
    "long signature": spec("signature_name", "s" * 3000),
    "signature __saved_model_init_op": spec("signature_name", "__saved_model_init_op"),
}


def signature(name: str) -> Grpc:
    return classifying(lambda r: setattr(r.model_spec, "signature_name", name))


CLASSIFIED: dict[str, Grpc] = {
    "classify 2": classifying(lambda r: r.input.example_list.examples.append(example(BLUE_PNG))),
    "classify default signature": signature(""),
    "classify serving_default": signature("serving_default"),
    "classify busy": signature("busy"),
    "classify none": classifying(lambda r: r.input.example_list.ClearField("examples")),
    "classify no input kind": classifying(lambda r: r.input.Clear()),
    "classify no spec": classifying(lambda r: r.ClearField("model_spec")),
    "classify unknown model": classifying(lambda r: setattr(r.model_spec, "name", "m")),
    "classify unknown sig": signature("s"),
    "classify context": with_context(example(), example()),
    "classify context no examples": with_context(),
    "classify context overridden": with_context(example(BLUE_PNG)),
    "classify example without picture": classifying(unchanged, example()),
    "classify bad picture": classifying(unchanged, example(b"no picture")),
    "regress none": lambda server: server.predictions.Regress(RegressionRequest()),
    "regress": regressing,
    "multi none": lambda server: server.predictions.MultiInference(MultiInferenceRequest()),
    "multi": inferring,
}
