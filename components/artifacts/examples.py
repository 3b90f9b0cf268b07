"""`tf.train.Example`: the one place that makes and reads it. Python reads it without TensorFlow.

A worker process that only reads pictures would spend seconds on importing TensorFlow, and no light
package brings the generated class: the messages, those of tensorflow/core/example, feature.proto
and example.proto, are built here. On the wire a map is a repeated message of key and value, which
keeps their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from google.protobuf import message_factory, text_format
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

from components.artifacts import features

if TYPE_CHECKING:
    import tensorflow as tf

Value = bytes | int | float | list[float]
"""Of a feature."""

PICTURE = (features.ENCODED, features.LABEL)
"""The features of a picture that training reads."""

_KINDS = {
    features.HEIGHT: "int64",
    features.WIDTH: "int64",
    features.CHANNELS: "int64",
    features.ASPECT_RATIO: "float32",
    features.BOTTLENECK: "float32",
    features.LABEL_PROBABILITY: "float32",
    features.WEIGHT: "float32",
}
"""The features that are no bytes."""

_DEFAULTS = {features.LABEL_PROBABILITY: 1.0, features.WEIGHT: 1.0}
"""Of features that an Example need not have."""

TARGET = (features.LABEL, *_DEFAULTS)
"""The features of which a training target is made."""

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


_Message = _message()


def serialized(values: Mapping[str, Value]) -> bytes:
    """Returns a serialized `tf.train.Example`.

    Bytes become a BytesList, floats and lists of them a FloatList, ints an Int64List. Equal values
    in equal order make equal bytes.
    """
    message = _Message()
    for key, value in values.items():
        entry = message.features.feature.add(key=key.encode())
        if isinstance(value, bytes):
            entry.value.bytes_list.value.append(value)
        elif isinstance(value, list):
            entry.value.float_list.value.extend(value)
        elif isinstance(value, float):
            entry.value.float_list.value.append(value)
        else:
            entry.value.int64_list.value.append(value)
    return message.SerializeToString()


class Example:
    """A `tf.train.Example` that was read."""

    def __init__(self, serialized: bytes):
        """Reads it.

        Raises:
          ValueError: this is no Example.
        """
        message = _Message()
        try:
            if message.ParseFromString(serialized) != len(serialized):  # protobuf 3 only warns
                raise ValueError("not all of it is an Example")
        except DecodeError as error:
            raise ValueError(str(error)) from error
        self._features = {entry.key: entry.value for entry in message.features.feature}

    def encoded(self, name: str) -> bytes:
        """Returns the first value of a feature of bytes; nothing where there is none."""
        return next(iter(self._values(name, "bytes_list")), b"")

    def text(self, name: str) -> str:
        """Returns the first value of a feature of bytes as text; "" where there is none."""
        return self.encoded(name).decode()

    def number(self, name: str) -> int:
        """Returns the first value of a feature of integers; 0 where there is none."""
        return next(iter(self._values(name, "int64_list")), 0)

    def floats(self, name: str) -> Sequence[float]:
        """Returns the values of a feature of floats; none where there is none."""
        found: Sequence[float] = self._values(name, "float_list")
        return found

    def _values(self, name: str, kind: str) -> Any:
        feature = self._features.get(name.encode())
        return () if feature is None else getattr(feature, kind).value


def spec(*names: str, shape: Sequence[int] = ()) -> dict[str, tf.io.FixedLenFeature]:
    """Returns how TensorFlow parses these features, one value each.

    Args:
      names: of features.
      shape: of `BOTTLENECK`.
    """
    import tensorflow as tf  # the ingest has no use for it

    return {
        name: tf.io.FixedLenFeature(
            shape if name == features.BOTTLENECK else (),
            _KINDS.get(name, "string"),
            _DEFAULTS.get(name),
        )
        for name in names
    }


def parse(serialized: tf.Tensor, *names: str, shape: Sequence[int] = ()) -> dict[str, tf.Tensor]:
    """Parses these features of one serialized Example, or of [batch] of them, in TensorFlow.

    Args:
      serialized: [] or [batch] string.
      names: of features.
      shape: of `BOTTLENECK`.
    """
    import tensorflow as tf

    return tf.io.parse_example(serialized, spec(*names, shape=shape))
