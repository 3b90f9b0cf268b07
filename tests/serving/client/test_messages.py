from __future__ import annotations

import pytest

from serving.api import DataType, PredictResponse, tensors
from serving.client import messages


def response(**outputs: list[float]) -> PredictResponse:
    """Returns the answer for two pictures and two classes."""
    found = PredictResponse()
    names = found.outputs["classes"]
    names.CopyFrom(tensors.of_strings([b"cat", b"dog", b"dog", b"cat"]))
    del names.tensor_shape.dim[:]
    for name, shape in (("classes", (2, 2)), ("scores", (2, 2)), *((key, (2,)) for key in outputs)):
        for size in shape:
            found.outputs[name].tensor_shape.dim.add(size=size)
    for name, values in {"scores": [0.75, 0.25, 0.5, 0.5], **outputs}.items():
        found.outputs[name].dtype = DataType.values_by_name["DT_FLOAT"].number
        found.outputs[name].float_val.extend(values)
    return found


def test_a_distance_is_read_where_the_model_tells_it() -> None:
    one, other = messages.predictions(response(distance=[1.5, 64.0]))
    assert (one.classes, one.scores, one.distance) == (("cat", "dog"), (0.75, 0.25), 1.5)
    assert other.distance == pytest.approx(64.0) and other.certain is None
    assert messages.predictions(response())[0].distance is None
