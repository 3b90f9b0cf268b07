"""`tf.train.Example` for protobuf's own runtime: reading and writing one needs no TensorFlow.

A worker process that only reads pictures would spend seconds on importing it, and no light package
brings the generated class. The messages are those of tensorflow/core/example, feature.proto and
example.proto. On the wire a map is a repeated message of key and value, which keeps their order.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import message_factory, text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

Value = bytes | int | float

_PROTO = """
  name: "transfer_pipeline/example.proto"
  package: "transfer_pipeline"
  syntax: "proto3"
  message_type {
    name: "BytesList"
    field { name: "value" number: 1 type: TYPE_BYTES label: LABEL_REPEATED }
  }
  message_type {
    name: "FloatList"
    field { name: "value" number: 1 type: TYPE_FLOAT label: LABEL_REPEATED }
  }
  message_type {
    name: "Int64List"
    field { name: "value" number: 1 type: TYPE_INT64 label: LABEL_REPEATED }
  }
  message_type {
    name: "Feature"
    field { name: "bytes_list" number: 1 type: TYPE_MESSAGE type_name: "BytesList" }
    field { name: "float_list" number: 2 type: TYPE_MESSAGE type_name: "FloatList" }
    field { name: "int64_list" number: 3 type: TYPE_MESSAGE type_name: "Int64List" }
  }
  message_type {
    name: "Entry"
    field { name: "key" number: 1 type: TYPE_BYTES }
    field { name: "value" number: 2 type: TYPE_MESSAGE type_name: "Feature" }
  }
  message_type {
    name: "Features"
    field { name: "feature" number: 1 type: TYPE_MESSAGE type_name: "Entry" label: LABEL_REPEATED }
  }
  message_type {
    name: "Example"
    field { name: "features" number: 1 type: TYPE_MESSAGE type_name: "Features" }
  }
"""


def _message() -> Any:
    """Builds the class, in a pool of its own: TensorFlow registers its own one."""
    proto = text_format.Parse(_PROTO, FileDescriptorProto())
    return message_factory.GetMessages([proto])["transfer_pipeline.Example"]


_Example = _message()


def serialized(values: dict[str, Value]) -> bytes:
    """Gives a serialized `tf.train.Example` with one value per feature.

    Bytes become a BytesList, floats a FloatList, ints an Int64List. Equal values in equal order
    give equal bytes.
    """
    example = _Example()
    for key, value in values.items():
        entry = example.features.feature.add(key=key.encode())
        if isinstance(value, bytes):
            entry.value.bytes_list.value.append(value)
        elif isinstance(value, float):
            entry.value.float_list.value.append(value)
        else:
            entry.value.int64_list.value.append(value)
    return example.SerializeToString()


def bytes_features(example: bytes, *names: str) -> list[bytes]:
    """Gives the first value of each of these features; nothing where there is none, or no bytes.

    Raises:
      ValueError: this is no Example.
    """
    message = _Example()
    try:
        if message.ParseFromString(example) != len(example):  # protobuf 3 only warns of it
            raise ValueError("not all of it is an Example")
    except DecodeError as error:
        raise ValueError(str(error)) from error
    values = {entry.key: entry.value.bytes_list.value for entry in message.features.feature}
    return [next(iter(values.get(name.encode(), ())), b"") for name in names]
