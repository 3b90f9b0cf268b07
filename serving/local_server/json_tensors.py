"""Tensors as JSON, both ways, in the REST API's two formats (json_tensor.cc).

Row: `{"instances": [...]}` is answered `{"predictions": [...]}`, one element per element. Columnar:
`{"inputs": ...}` is answered `{"outputs": ...}`, whole tensors. Bytes are `{"b64": "..."}`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo

from serving.local_server.errors import invalid_argument
from serving.local_server.tensors import values_field


@dataclass(frozen=True)
class PredictDocument:
    """A parsed request: what is under `instances` (`row`) or under `inputs`."""

    signature_name: str
    row: bool
    values: Any


def parse(body: bytes) -> PredictDocument:
    """Reads the outer form of a predict request.

    Raises:
        ServingError: INVALID_ARGUMENT, not JSON or not of that form.
    """
    document = parse_object(body)
    name = signature_name(document)
    if "instances" in document and "inputs" in document:
        raise invalid_argument("Expecting only one of 'inputs' or 'instances' keys to exist")
    if "inputs" in document:
        return PredictDocument(name, False, document["inputs"])
    if "instances" not in document:
        raise invalid_argument("Missing 'inputs' or 'instances' key")
    if not isinstance(document["instances"], list) or not document["instances"]:
        raise invalid_argument("Expecting 'instances' to be a list with values")
    return PredictDocument(name, True, document["instances"])


def parse_object(body: bytes) -> dict[str, Any]:
    """Reads a request's JSON object.

    Raises:
        ServingError: INVALID_ARGUMENT, it is none.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise invalid_argument(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise invalid_argument("JSON Value: Is not object")
    return document


def signature_name(document: Mapping[str, Any]) -> str:
    """Gives the signature that a request names; empty where it names none.

    Raises:
        ServingError: INVALID_ARGUMENT, it is no text.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid_argument("'signature_name' key must be a string value.")
    return name


def tensors(document: PredictDocument, inputs: Mapping[str, TensorInfo]) -> dict[str, TensorProto]:
    """Gives the tensors a request holds, of the dtypes that the signature's `inputs` have.

    Raises:
        ServingError: INVALID_ARGUMENT, other names, ragged lists, values of another type.
    """
    named = _transposed(document.values) if document.row else document.values
    if not _is_named(named):
        if len(inputs) != 1:
            raise invalid_argument(f"Expecting an object with the inputs {sorted(inputs)}")
        named = {next(iter(inputs)): named}
    if named.keys() != inputs.keys():
        raise invalid_argument(
            f"JSON object keys {sorted(named)} must be equal to: {sorted(inputs)}"
        )
    return {alias: _tensor(named[alias], tf.as_dtype(inputs[alias].dtype)) for alias in named}


def answer(outputs: Mapping[str, TensorProto], row: bool) -> dict[str, Any]:
    """Gives the body of the answer, in the format of the request.

    Raises:
        ServingError: INVALID_ARGUMENT, outputs without a common batch size have no row format.
    """
    columns = {alias: _values(alias, tf.make_ndarray(outputs[alias])) for alias in sorted(outputs)}
    if not row:
        return {"outputs": columns if len(columns) > 1 else next(iter(columns.values()))}
    sizes = {len(column) if isinstance(column, list) else None for column in columns.values()}
    if len(sizes) != 1 or None in sizes:
        raise invalid_argument(f"Outputs {sorted(columns)} have inconsistent batch sizes")
    if len(columns) == 1:
        return {"predictions": next(iter(columns.values()))}
    rows = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(columns, values, strict=True)) for values in rows]}


def _is_bytes(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_bytes(value)


def _transposed(instances: list[Any]) -> Any:
    """Lists by alias of named instances; plain ones as they are."""
    first = instances[0]
    if not _is_named(first):
        return instances
    for at, instance in enumerate(instances):
        if not _is_named(instance) or instance.keys() != first.keys():
            raise invalid_argument(f"Element {at} of 'instances' has not the keys of the first")
    return {alias: [instance[alias] for instance in instances] for alias in first}


def _tensor(value: Any, dtype: tf.DType) -> TensorProto:
    field = values_field(dtype)
    if field is None:
        raise invalid_argument(f"Conversion of JSON to {dtype.name} is not supported")
    shape = _shape(value)
    leaves = [_leaf(leaf, dtype) for leaf in _leaves(value, shape)]
    proto = TensorProto(dtype=dtype.as_datatype_enum, tensor_shape=tf.TensorShape(shape).as_proto())
    try:
        getattr(proto, field).extend(leaves)
    except ValueError as error:  # an integer that its field cannot hold
        raise invalid_argument(
            f"JSON Value is not of expected type: {dtype.name}: {error}"
        ) from None
    return proto


def _shape(value: Any) -> list[int]:
    """The shape that the first elements suggest; `_leaves` holds the others to it."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return shape


def _leaves(value: Any, shape: list[int]) -> Iterator[Any]:
    if not shape:
        if isinstance(value, list):
            raise invalid_argument("Encountered list at unexpected level")
        yield value
        return
    if not isinstance(value, list) or len(value) != shape[0]:
        raise invalid_argument(f"Encountered a value where a list of size {shape[0]} is expected")
    for element in value:
        yield from _leaves(element, shape[1:])


def _leaf(value: Any, dtype: tf.DType) -> bytes | bool | int | float:
    if dtype == tf.string and isinstance(value, str):
        return value.encode()
    if dtype == tf.string and _is_bytes(value):
        return decoded(value["b64"])
    if isinstance(value, bool):
        fits = dtype == tf.bool
    else:
        fits = isinstance(value, int) and (dtype.is_integer or dtype.is_floating)
        fits = fits or isinstance(value, float) and dtype.is_floating
    if not fits:
        raise invalid_argument(
            f"JSON Value: {json.dumps(value)} is not of expected type: {dtype.name}"
        )
    return value


def decoded(text: str) -> bytes:
    """Standard base64; white space and a missing padding are accepted (absl::Base64Unescape).

    Raises:
        ServingError: INVALID_ARGUMENT, it is none.
    """
    text = "".join(text.split())
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid_argument("Unable to base64 decode") from None


def shortest(value: float) -> float:
    """Gives 0.1 and not 0.10000000149011612: the shortest that reads back as the same float32."""
    return float(str(np.float32(value)))


def _values(alias: str, array: np.ndarray) -> Any:
    if array.dtype == object:
        to_json = _b64 if alias.endswith("_bytes") else _text
        return np.frompyfunc(to_json, 1, 1)(array).tolist()
    if array.dtype == np.float32:  # as `shortest`
        array = array.astype(str).astype(np.float64)
    return array.tolist()


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _b64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}
