"""TensorProtos in and out, in the encoding TensorFlow Serving uses."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo

from serving.local_server.errors import invalid_argument

# Field of the values by dtype (tensor.proto). TensorFlow Serving answers in these, not in
# `tensor_content`, and clients read `float_val` and `string_val`.
_VALUES = {
    tf.string: "string_val",
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.bool: "bool_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    **dict.fromkeys((tf.int8, tf.int16, tf.int32, tf.uint8, tf.uint16), "int_val"),
}
_VIEWS = {  # whose fields hold their bits, or real and imaginary parts in turns
    tf.float16: ("half_val", np.uint16),
    tf.bfloat16: ("half_val", np.uint16),
    tf.complex64: ("scomplex_val", np.float32),
    tf.complex128: ("dcomplex_val", np.float64),
}

_SIZES = {dtype.as_datatype_enum: dtype.size for dtype in (*_VALUES, *_VIEWS) if dtype.size}

# A few bytes may claim a tensor of any size, its last value repeated; TensorFlow would allocate it,
# and where it can't, try for ten seconds.
_MAX_ELEMENTS = 2**24
_MAX_DIMS = 32  # of NumPy 1; with NumPy 2, TensorFlow 2.21 crashes on strings of more
_REPEATED_BYTES = 2**24  # more than a few black pictures, whose pixels C++ clients send once
_BYTES_PER_SENT = 64  # the most that an array takes here for each byte of its message
_STRING_BYTES = 1024  # of one in the array, in the graph and in the answer, without its text


def values_field(dtype: tf.DType) -> str | None:
    """Returns the name of the TensorProto field that holds `dtype`; None for rare ones."""
    return _VALUES.get(dtype)


def type_name(dtype: int) -> str:
    """Returns a DataType's name as the C++ messages have it: float, string, int64."""
    name: str = DataType.Name(dtype)
    return name[3:].lower()


def dtype_name(dtype: tf.DType | np.dtype) -> str:
    """Returns a dtype as DataType_Name has it: `DT_FLOAT`."""
    name: str = DataType.Name(tf.as_dtype(dtype).as_datatype_enum)
    return name


def shape_text(array: np.ndarray) -> str:
    """Returns a shape as TensorShape::DebugString has it: `[2,3]`."""
    return f"[{','.join(map(str, array.shape))}]"


def check_dtypes(infos: Mapping[str, TensorInfo], sent: Mapping[str, int]) -> None:
    """Refuses tensors of another dtype than the graph's, by the order of their names there.

    Raises:
        ServingError: INVALID_ARGUMENT, names the first one.
    """
    for position, alias in enumerate(sorted(infos, key=lambda alias: infos[alias].name)):
        if sent[alias] != infos[alias].dtype:
            raise invalid_argument(
                f"Expects arg[{position}] to be {type_name(infos[alias].dtype)}"
                f" but {type_name(sent[alias])} is provided"
            )


def from_proto(alias: str, proto: TensorProto) -> np.ndarray:
    """Returns the array that `proto` describes; strings as bytes, dtype object.

    Raises:
        ServingError: INVALID_ARGUMENT, the values do not fit the shape or dtype, the shape is of
          more than 16,777,216 elements or 32 dimensions, or claims far more than the bytes that
          came.
    """
    dims = [dim.size for dim in proto.tensor_shape.dim]
    if min(dims, default=0) < 0 or len(dims) > _MAX_DIMS or math.prod(dims) > _MAX_ELEMENTS:
        raise invalid_argument(f"tensor parsing error: {alias}")
    if _is_inflated(proto, dims):
        raise invalid_argument(
            f"tensor parsing error: {alias} claims {math.prod(dims)} elements, its message has"
            f" {proto.ByteSize()} bytes: send every value"
        )
    if proto.dtype == tf.string.as_datatype_enum and dims == [len(proto.string_val)]:
        return np.array(proto.string_val, object)  # a millisecond less for pictures
    try:
        tensor = tf.io.parse_tensor(proto.SerializeToString(), tf.as_dtype(proto.dtype))
        # Of a scalar, `numpy()` returns the bytes themselves, which np.asarray would cut at a NUL.
        return np.asarray(tensor.numpy(), tensor.dtype.as_numpy_dtype)
    except (tf.errors.OpError, TypeError, ValueError, NotImplementedError):
        # Also for dtypes without values.
        raise invalid_argument(f"tensor parsing error: {alias}") from None


def _is_inflated(proto: TensorProto, dims: list[int]) -> bool:
    """Checks whether the array takes much more memory than the message: its last value repeated.

    A string that is repeated is a copy each, in the array and in the graph.
    """
    count, each = math.prod(dims), 16  # complex128; the element of no dtype is larger
    if proto.dtype == tf.string.as_datatype_enum:
        if count <= len(proto.string_val):
            return False
        each = _STRING_BYTES + max(map(len, proto.string_val[-1:]), default=0)
    elif proto.dtype in _SIZES:
        each = _SIZES[proto.dtype]
    return count * each > _REPEATED_BYTES + _BYTES_PER_SENT * proto.ByteSize()


def to_proto(array: np.ndarray) -> TensorProto:
    """Returns `array` as a TensorProto whose values are in the field of their dtype."""
    dtype = tf.as_dtype(array.dtype)
    field = values_field(dtype)
    if dtype in _VIEWS:
        field, view = _VIEWS[dtype]
        values = array.ravel().view(view)
    elif field is not None:
        values = array.ravel()
    else:
        return tf.make_tensor_proto(array)
    return TensorProto(
        dtype=dtype.as_datatype_enum,
        tensor_shape=tf.TensorShape(array.shape).as_proto(),
        **{field: values.tolist()},
    )
