"""Arrays to and from TensorProtos, as `tf.make_tensor_proto` and `tf.make_ndarray` do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from serving.api import DataType, TensorProto

_STRING = DataType.values_by_name["DT_STRING"].number
# A type's values lie in one of the fields, or as the array's own bytes in `tensor_content`.
_NUMERIC: dict[str, tuple[str, str]] = {
    "DT_FLOAT": ("float_val", "float32"),
    "DT_DOUBLE": ("double_val", "float64"),
    "DT_INT32": ("int_val", "int32"),
    "DT_UINT8": ("int_val", "uint8"),
    "DT_INT64": ("int64_val", "int64"),
    "DT_BOOL": ("bool_val", "bool"),
}


def of_strings(values: Sequence[bytes]) -> Any:
    """Returns the TensorProto of a DT_STRING [len(values)]."""
    tensor = TensorProto(dtype=_STRING, string_val=values)
    tensor.tensor_shape.dim.add(size=len(values))
    return tensor


def array(tensor: Any) -> np.ndarray:
    """Returns the array of a TensorProto; of objects (bytes) for DT_STRING.

    Raises:
        ValueError: a type that no output of these models has, or fewer values than the shape needs.
    """
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.dtype == _STRING:
        return _filled(np.array(tensor.string_val, dtype=object), shape)
    kind = DataType.values_by_number.get(tensor.dtype)
    name = kind.name if kind else str(tensor.dtype)
    if name not in _NUMERIC:
        raise ValueError(f"a tensor of type {name}; this client reads {', '.join(_NUMERIC)}")
    field, dtype = _NUMERIC[name]
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, dtype).reshape(shape)
    return _filled(np.array(getattr(tensor, field), dtype), shape)


def _filled(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Returns the values in their shape; the last one stands for all that are left out."""
    size = int(np.prod(shape, dtype=np.int64))
    if len(values) == size:
        return values.reshape(shape)
    if not 0 < len(values) < size:
        raise ValueError(f"a tensor of shape {list(shape)} with {len(values)} values")
    return np.concatenate([values, np.repeat(values[-1:], size - len(values))]).reshape(shape)
