"""The values of one input of a signature, gathered from JSON (json_tensor.cc)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo

from serving.local_server import json_text
from serving.local_server.errors import ServingError, invalid_argument
from serving.local_server.json_document import decoded, format_error, is_base64
from serving.local_server.tensors import type_name, values_field

_INTEGERS = {  # the least of each, and the first that is too large
    **dict.fromkeys((tf.int8, tf.int16, tf.int32, tf.uint8), (-(2**31), 2**31)),
    tf.int64: (-(2**63), 2**63),
    tf.uint32: (0, 2**32),
    tf.uint64: (0, 2**64),
}
_KNOWN = {*_INTEGERS, tf.float32, tf.float64, tf.string, tf.bool}


class Column:
    """The values of one input, of one instance or of many.

    Attributes:
        shape: of the first instance; None before it.
    """

    def __init__(self, info: TensorInfo) -> None:
        self._dtype = tf.as_dtype(info.dtype)
        self._leaves: list[Any] = []
        self.shape: list[int] | None = None
        self._size = 0

    def add(self, value: Any) -> list[int]:
        """Takes the values of a nested list; returns its shape, which the first elements give."""
        shape = _shape(value)
        self._leaves.extend(_leaf(leaf, self._dtype) for leaf in _leaves(value, shape))
        return shape

    def add_like_others(self, value: Any) -> None:
        """Takes the values of one more instance.

        Raises:
            ServingError: INVALID_ARGUMENT, not of the first one's shape.
        """
        before = len(self._leaves)
        shape = self.add(value)
        size = len(self._leaves) - before
        if self.shape is None:
            self.shape, self._size = shape, size
        elif size != self._size:
            raise invalid_argument(f"Expecting tensor size: {self._size} but got: {size}")
        elif shape != self.shape:
            raise invalid_argument(
                f"Expecting shape {_shape_text(self.shape)} but got: {_shape_text(shape)}"
            )

    def tensor(self, shape: list[int]) -> TensorProto:
        """Returns all values in this shape."""
        dtype = self._dtype
        proto = TensorProto(
            dtype=dtype.as_datatype_enum, tensor_shape=tf.TensorShape(shape).as_proto()
        )
        if self._leaves:
            getattr(proto, values_field(dtype) or "").extend(self._leaves)
        return proto


def _shape(value: Any) -> list[int]:
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def _shape_text(shape: list[int]) -> str:
    return f"[{','.join(map(str, shape))}]"


def _leaves(value: Any, shape: list[int], level: int = 0) -> Iterator[Any]:
    rank = len(shape)
    if not isinstance(value, list):
        if level != rank:
            raise format_error(
                value,
                f"found at incorrect level: {level + 1} in the JSON DOM. Expected at level: {rank}",
            )
        yield value
        return
    if level >= rank:
        raise invalid_argument(f"Encountered list at unexpected level: {level} expected < {rank}")
    if len(value) != shape[level]:
        raise invalid_argument(
            f"Encountered list at unexpected size: {len(value)} at level: {level}"
            f" expected size: {shape[level]}"
        )
    for element in value:
        yield from _leaves(element, shape, level + 1)


def _leaf(value: Any, dtype: tf.DType) -> bytes | bool | int | float:
    if isinstance(value, dict) and dtype == tf.string:
        if not is_base64(value):
            raise format_error(value, "not formatted correctly for base64 data")
        return decoded(value)
    if dtype not in _KNOWN and not isinstance(value, dict):
        raise ServingError(
            grpc.StatusCode.UNIMPLEMENTED,
            f"Conversion of JSON Value: {json_text.value(value)} to type: {_name(dtype)}",
        )
    if isinstance(value, str) and dtype == tf.string:
        return value.encode(errors="surrogateescape")
    if not _fits(value, dtype):
        raise format_error(
            value, f"Type: {json_text.kind(value)} is not of expected type: {_name(dtype)}"
        )
    number: bool | int | float = value
    return number


def _fits(value: Any, dtype: tf.DType) -> bool:
    if isinstance(value, bool) or dtype == tf.bool:
        return isinstance(value, bool) and dtype == tf.bool
    if dtype.is_floating:
        return isinstance(value, (int, float))
    least, end = _INTEGERS.get(dtype, (0, 0))
    return isinstance(value, int) and least <= value < end


def _name(dtype: tf.DType) -> str:
    return type_name(dtype.as_datatype_enum)
