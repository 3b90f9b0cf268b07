"""Answers as JSON, laid out as TensorFlow Serving does (json_tensor.cc)."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis.classification_pb2 import ClassificationResult
from tensorflow_serving.apis.regression_pb2 import RegressionResult

from serving.local_server import json_text
from serving.local_server.errors import invalid_argument
from serving.local_server.tensors import type_name

_INTEGERS = {tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint32, tf.uint64}
_FLOATS: dict[tf.DType, type[np.floating]] = {tf.float32: np.float32, tf.float64: np.float64}


def predictions(outputs: Mapping[str, TensorProto]) -> str:
    """Writes `{"predictions": [...]}`: values, or objects where there are several outputs.

    Raises:
        ServingError: INVALID_ARGUMENT, outputs without a common batch size have no row format.
    """
    size = _batch_size(outputs)
    level = 3 if len(outputs) > 1 else 2
    columns = {}
    for alias in sorted(outputs):
        array = tf.make_ndarray(outputs[alias])
        leaves = _leaves(alias, array, level + array.ndim - 1)
        columns[alias] = [_line(leaves, array.shape[1:]) for _ in range(size)]
    if len(columns) > 1:
        rows = zip(*columns.values(), strict=True)
        written = [json_text.mapping(dict(zip(columns, row, strict=True)), 2) for row in rows]
        return json_text.mapping({"predictions": json_text.array(written, 1)}, 0)
    (column,) = columns.values()
    return json_text.mapping({"predictions": json_text.opened_line(column, 1)}, 0)


def outputs(found: Mapping[str, TensorProto]) -> str:
    """Writes `{"outputs": ...}`: a whole tensor, or an object of several."""
    level = 2 if len(found) > 1 else 1
    columns = {}
    for alias in sorted(found):
        array = tf.make_ndarray(found[alias])
        leaves = _leaves(alias, array, level + array.ndim)
        columns[alias] = _lines(leaves, array.shape, level)
    if len(columns) > 1:
        return json_text.mapping({"outputs": json_text.mapping(columns, 1)}, 0)
    (column,) = columns.values()
    return json_text.mapping({"outputs": column}, 0)


def classification(result: ClassificationResult) -> str:
    """Writes `{"results": [[[label, score], ...], ...]}`, one list per example."""
    examples = [
        json_text.line(
            json_text.line(
                [json_text.string(entry.label), json_text.decimal(entry.score, np.float32)]
            )
            for entry in classifications.classes
        )
        for classifications in result.classifications
    ]
    return json_text.mapping({"results": json_text.opened_line(examples, 1)}, 0)


def regression(result: RegressionResult) -> str:
    """Writes `{"results": [number, ...]}`, one per example."""
    numbers = [json_text.decimal(entry.value, np.float32) for entry in result.regressions]
    return json_text.mapping({"results": json_text.line(numbers)}, 0)


def error(message: str) -> str:
    """Writes `{"error": message}`."""
    return json_text.mapping({"error": json_text.string(message)}, 0)


def _batch_size(outputs: Mapping[str, TensorProto]) -> int:
    size = -1
    for alias in sorted(outputs):
        dims = outputs[alias].tensor_shape.dim
        if not dims:
            raise invalid_argument(f"Tensor name: {alias} has no shape information ")
        if size not in (-1, dims[0].size):
            raise invalid_argument(
                f"Tensor name: {alias} has inconsistent batch size: {dims[0].size}"
                f" expecting: {size}"
            )
        size = dims[0].size
    return size


def _line(leaves: Iterator[str], shape: tuple[int, ...]) -> str:
    if not shape:
        return next(leaves)
    return json_text.line([_line(leaves, shape[1:]) for _ in range(shape[0])])


def _lines(leaves: Iterator[str], shape: tuple[int, ...], level: int) -> str:
    if not shape:
        return next(leaves)
    items = [_lines(leaves, shape[1:], level + 1) for _ in range(shape[0])]
    return json_text.array(items, level)


def _leaves(alias: str, array: np.ndarray, level: int) -> Iterator[str]:
    """The elements as they are written in so many brackets."""
    dtype = tf.as_dtype(array.dtype)
    elements = array.ravel().tolist()
    if dtype == tf.string and alias.endswith("_bytes"):
        for data in elements:
            encoded = base64.b64encode(data).decode()
            yield json_text.mapping({"b64": json_text.string(encoded)}, level)
    elif dtype == tf.string:
        for data in elements:
            yield json_text.string(data.decode(errors="surrogateescape"))
    elif dtype in _FLOATS:
        for number in elements:
            yield json_text.decimal(number, _FLOATS[dtype])
    elif dtype == tf.bool:
        yield from ("true" if truth else "false" for truth in elements)
    elif dtype in _INTEGERS:
        yield from map(str, elements)
    elif elements:
        name = type_name(dtype.as_datatype_enum)
        raise invalid_argument(f"Failed to write JSON value for tensor type: {name}")
