"""Our messages against those of `tensorflow-serving-api`: the same bytes, both ways."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf.descriptor import FieldDescriptor
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_pb2,
    predict_pb2,
)
from tensorflow_serving.config import logging_config_pb2, model_server_config_pb2

from serving import api
from serving.api import schema, tensors

TYPES = FieldDescriptor
DECLARED_HERE = ("BatchingParameters", "SSLConfig", "PrometheusConfig", "MonitoringConfig")
"""Messages that `tensorflow-serving-api` lacks."""

PACKAGES = [
    get_model_metadata_pb2,
    get_model_status_pb2,
    logging_config_pb2,
    meta_graph_pb2,
    model_management_pb2,
    model_pb2,
    model_server_config_pb2,
    predict_pb2,
]


def theirs() -> dict[str, Any]:
    """Returns the package's classes of the messages that we declare, by full name."""
    from google.protobuf import symbol_database

    pool = PACKAGES[0].DESCRIPTOR.pool
    database = symbol_database.Default()
    names = [name for name in schema.MESSAGES if name.split(".")[-1] not in DECLARED_HERE]
    return {name: _class_of(pool.FindMessageTypeByName(name), database) for name in names}


def _class_of(descriptor: Any, database: Any) -> Any:
    made = getattr(descriptor, "_concrete_class", None)
    return made if made is not None else database.GetPrototype(descriptor)


def ours() -> dict[str, Any]:
    """Returns our classes by full name, nested ones too."""
    found = schema.messages()
    for name in schema.MESSAGES:
        outer, _, own = name.rpartition(".")
        if outer in found and name not in found:
            nested = found[outer].DESCRIPTOR.nested_types_by_name[own]
            found[name] = nested._concrete_class
    return found


THEIRS = theirs()
OURS = ours()


def fields(message: Any) -> Iterator[tuple[FieldDescriptor, bool]]:
    """Yields the fields of a message with whether they are maps."""
    for field in message.DESCRIPTOR.fields:
        nested = field.message_type
        yield field, bool(nested and nested.GetOptions().map_entry)


def fill(message: Any, chance: random.Random, depth: int = 3) -> None:
    """Sets fields of a message at random, members of a oneof included."""
    for field, is_map in fields(message):
        if chance.random() < 0.25:
            continue
        value = getattr(message, field.name)
        if is_map:
            kind = field.message_type.fields_by_name["value"]
            if kind.message_type is None:
                value["a"] = scalar(kind, chance)
            elif depth:
                fill(value["a"], chance, depth - 1)
        elif field.message_type is not None and depth:
            fill(value.add() if hasattr(value, "add") else value, chance, depth - 1)
            if not hasattr(value, "add"):
                value.SetInParent()
        elif field.message_type is None and hasattr(value, "extend"):
            value.extend([scalar(field, chance) for _ in range(3)])
        elif field.message_type is None:
            setattr(message, field.name, scalar(field, chance))


def scalar(field: FieldDescriptor, chance: random.Random) -> Any:
    if field.type == TYPES.TYPE_STRING:
        return chance.choice(["", "solar-cells", "größer"])
    if field.type == TYPES.TYPE_BYTES:
        return chance.choice([b"", b"\x89PNG\xff"])
    if field.type == TYPES.TYPE_BOOL:
        return chance.random() < 0.5
    if field.type in (TYPES.TYPE_FLOAT, TYPES.TYPE_DOUBLE):
        return chance.choice([0.0, 0.5, -3.25])
    if field.type == TYPES.TYPE_ENUM:
        return chance.choice([value.number for value in field.enum_type.values])
    return chance.choice([0, 1, 7, 2**31 - 1])


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_fields_have_the_numbers_types_and_choices_of_the_package(name: str) -> None:
    for field in OURS[name].DESCRIPTOR.fields:
        other = THEIRS[name].DESCRIPTOR.fields_by_name[field.name]
        enum_as_number = field.type == TYPES.TYPE_INT32 and other.type == TYPES.TYPE_ENUM
        assert (field.number, field.type) == (other.number, other.type) or enum_as_number
        assert field.number == other.number
        ours, package = field.containing_oneof, other.containing_oneof
        assert (ours and ours.name) == (package and package.name)


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_what_either_writes_the_other_reads_and_writes_again(name: str) -> None:
    chance = random.Random(name)
    for _ in range(20):
        for made, other in ((OURS[name], THEIRS[name]), (THEIRS[name], OURS[name])):
            message = made()
            fill(message, chance)
            sent = message.SerializeToString(deterministic=True)
            back = made.FromString(other.FromString(sent).SerializeToString())
            assert back == message, "fields that a message does not know are kept, too"


def test_enums_have_the_numbers_of_the_package() -> None:
    for value in api.DataType.values:
        assert DataType.Value(value.name) == value.number
    state = get_model_status_pb2.ModelVersionStatus.State
    assert dict(api.ModelVersionStatus.State.items()) == dict(state.items())


@pytest.mark.parametrize(
    "array",
    [
        np.array([[b"cat", b"dog"], [b"", b"\xff"]], dtype=object),
        np.array([[0.25, 0.75]], np.float32),
        np.array([0.1, 0.2], np.float64),
        np.array([[1], [2**40]], np.int64),
        np.array([1, -1], np.int32),
        np.array([0, 255], np.uint8),
        np.array([True, False]),
        np.float32(3),
        np.zeros((0, 3), np.float32),
    ],
)
def test_arrays_are_read_as_tensorflow_reads_them(array: np.ndarray) -> None:
    kind = tf.string if array.dtype == object else tf.as_dtype(array.dtype)
    made = tf.make_tensor_proto(array, kind)
    unpacked = type(made)()
    unpacked.CopyFrom(made)
    if kind != tf.string and array.size:  # values one by one, as a server may send them
        unpacked.tensor_content = b""
        field = {"float32": "float_val", "float64": "double_val", "int64": "int64_val"}
        field |= {"bool": "bool_val", "int32": "int_val", "uint8": "int_val"}
        values = getattr(unpacked, field[array.dtype.name])
        del values[:]
        values.extend(array.ravel().tolist())
    for proto in (made, unpacked):
        found = tensors.array(api.TensorProto.FromString(proto.SerializeToString()))
        np.testing.assert_array_equal(found, tf.make_ndarray(proto))
        assert found.shape == array.shape


def test_values_that_repeat_may_be_left_out() -> None:
    made = tf.make_tensor_proto(0.5, tf.float32, shape=[2, 3])
    assert len(made.float_val) == 1
    found = tensors.array(api.TensorProto.FromString(made.SerializeToString()))
    np.testing.assert_array_equal(found, np.full((2, 3), 0.5, np.float32))


def test_too_few_values_or_another_type_are_refused() -> None:
    wrong = api.TensorProto(dtype=1)
    wrong.tensor_shape.dim.add(size=2)
    with pytest.raises(ValueError, match=r"shape \[2\] with 0 values"):
        tensors.array(wrong)
    with pytest.raises(ValueError, match="DT_COMPLEX64; this client reads DT_FLOAT"):
        tensors.array(api.TensorProto(dtype=8))


def test_pictures_are_sent_as_tensorflow_would_send_them() -> None:
    pictures = [b"\x89PNG", b"", b"\xff\xd8"]
    made = tf.make_tensor_proto(pictures, tf.string)
    assert tensors.of_strings(pictures).SerializeToString() == made.SerializeToString()
