"""JSON as rapidjson reads and writes it; the layouts are tensorflow_model_server's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from serving.local_server import json_answers, json_document, json_text
from serving.local_server.errors import ServingError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.575158954, "0.575158954"),
        (0.57611686, "0.57611686"),
        (0.1, "0.1"),
        (1.0, "1.0"),
        (1e7, "1e+07"),
        (16777217.0, "16777216.0"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_a_float_has_six_digits_or_the_nine_that_read_back_as_it(value: float, text: str) -> None:
    assert json_text.decimal(value, np.float32) == text
    assert np.isnan(value) or np.float32(text) == np.float32(value)


def test_a_double_has_seventeen_digits_where_six_are_not_enough() -> None:
    assert json_text.decimal(0.5) == "0.5"
    assert json_text.decimal(1 / 3) == "0.33333333333333331"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e20, "100000000000000000000.0"),
        (1e21, "1e21"),
        (1.5e-6, "0.0000015"),
        (1.5e-7, "1.5e-7"),
        (-0.1, "-0.1"),
        ('a"\\/\x1f\té', '"a\\"\\\\/\\u001F\\té"'),
        ([], "[]"),
        ({}, "{}"),
        ([None, True], "[\n    null,\n    true\n]"),
    ],
)
def test_a_message_shows_a_value_as_rapidjson_writes_it(value: Any, text: str) -> None:
    shown = json_text.value({"v": value})
    assert shown == "{\n    " + f'"v": {text}'.replace("\n", "\n    ") + "\n}"


def test_predictions_stand_in_one_line_each_and_outputs_do_not() -> None:
    numbers = {"y": tf.make_tensor_proto([[1.0, 2.0], [3.0, 4.0]], tf.float32)}
    assert json_answers.predictions(numbers) == (
        '{\n    "predictions": [[1.0, 2.0], [3.0, 4.0]\n    ]\n}'
    )
    assert json_answers.outputs({"y": tf.make_tensor_proto([[1], [2]])}) == (
        '{\n    "outputs": [\n        [\n            1\n        ],\n'
        "        [\n            2\n        ]\n    ]\n}"
    )


def test_several_outputs_are_an_object_per_prediction_and_bytes_are_base64() -> None:
    outputs = {
        "raw_bytes": tf.make_tensor_proto([b"\xff\0"]),
        "score": tf.make_tensor_proto([0.1], tf.float32),
        "seen": tf.make_tensor_proto([True]),
        "text": tf.make_tensor_proto([b"\xff"]),
    }
    assert json_answers.predictions(outputs) == (
        '{\n    "predictions": [\n        {\n'
        '            "raw_bytes": {\n                "b64": "/wA="\n            },\n'
        '            "score": 0.1,\n            "seen": true,\n            "text": "\udcff"\n'
        "        }\n    ]\n}"
    )


@pytest.mark.parametrize(
    ("outputs", "fault"),
    [
        ({"x": 1.0}, "Tensor name: x has no shape information "),
        (
            {"x": [1.0], "y": [1.0, 2.0]},
            "Tensor name: y has inconsistent batch size: 2 expecting: 1",
        ),
        ({"x": [1j]}, "Failed to write JSON value for tensor type: complex128"),
    ],
)
def test_what_has_no_row_format_is_refused(outputs: dict[str, Any], fault: str) -> None:
    protos = {alias: tf.make_tensor_proto(value) for alias, value in outputs.items()}
    with pytest.raises(ServingError) as refused:
        json_answers.predictions(protos)
    assert refused.value.message == fault


def test_of_several_equal_keys_the_first_counts() -> None:
    assert json_document.parse(b'{"a": 1, "b": 2, "a": 3}') == {"a": 1, "b": 2}


@pytest.mark.parametrize("text", ["YQ==", "YQ", "Y Q\n= =", "YQ.."])
def test_base64_may_have_white_space_and_lack_its_padding(text: str) -> None:
    assert json_document.decoded({"b64": text}) == b"a"


@pytest.mark.parametrize("text", ["Y", "YQ=", "YQ===", "__77", "YQ==YQ==", "\udcff"])
def test_what_is_no_base64_is_refused(text: str) -> None:
    with pytest.raises(ServingError, match="Unable to base64 decode"):
        json_document.decoded({"b64": text})
