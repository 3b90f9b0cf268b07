"""Tensors of JSON requests, in the REST API's two formats (json_tensor.cc).

Row: `{"instances": [...]}` is answered `{"predictions": [...]}`, one element per element. Columnar:
`{"inputs": ...}` is answered `{"outputs": ...}`, whole tensors. Bytes are `{"b64": "..."}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo

from serving.local_server import json_text
from serving.local_server.errors import ServingError, invalid_argument
from serving.local_server.json_column import Column
from serving.local_server.json_document import Document, format_error, is_base64

_Infos = Mapping[str, TensorInfo]
Tensors = dict[str, TensorProto]


def tensors(document: Document, infos: _Infos) -> Tensors:
    """Returns the tensors a request holds, of the dtypes that the signature's inputs have.

    Raises:
        ServingError: INVALID_ARGUMENT, other names, ragged lists, values of another type.
    """
    if "instances" in document and "inputs" in document:
        raise format_error(
            document,
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ",
        )
    if "inputs" in document:
        return _columnar(document["inputs"], infos)
    if "instances" not in document:
        raise invalid_argument("Missing 'inputs' or 'instances' key")
    if not isinstance(document["instances"], list):
        raise format_error(document, "Expecting 'instances' to be an list/array")
    if not document["instances"]:
        raise format_error(document, "No values in 'instances' array")
    return _rows(document["instances"], infos)


def is_row(document: Document) -> bool:
    """Checks whether the answer is to be in the row format."""
    return "instances" in document


def _columnar(value: Any, infos: _Infos) -> Tensors:
    if not _is_named(value):
        if len(infos) > 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple input tensors"
                " required as per tensorinfo_map"
            )
        value = {next(iter(infos)): value}
    found = {}
    for alias, info in sorted(infos.items()):
        if alias not in value:
            raise invalid_argument(f"Missing named input: {alias} in 'inputs' object.")
        column = Column(info)
        shape = column.add(value[alias])
        found[alias] = column.tensor(shape)
    return found


def _rows(instances: list[Any], infos: _Infos) -> Tensors:
    if not isinstance(instances[0], dict) and len(infos) > 1:
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple input tensors"
            " required as per tensorinfo_map"
        )
    named = _is_named(instances[0])
    columns = {alias: Column(info) for alias, info in sorted(infos.items())}
    for at, instance in enumerate(instances):
        if named and not _is_named(instance):
            raise invalid_argument(f"Expecting object but got list at item {at} of input list")
        if not named and _is_named(instance):
            raise invalid_argument(
                f"Expecting value/list but got object at item {at} of input list"
            )
        if not named:
            _add(columns, next(iter(columns)), instance, f"{at}")
            continue
        for alias, value in instance.items():
            _add(columns, alias, value, f"{at} key: {alias}")
        if instance.keys() != infos.keys():
            raise invalid_argument(
                f"Failed to process element: {at} of 'instances' list. JSON object:"
                f" {json_text.value(instance)} keys must be equal to: {','.join(sorted(infos))}"
            )
    used = {alias: column for alias, column in columns.items() if column.shape is not None}
    return {
        alias: column.tensor([len(instances), *(column.shape or ())])
        for alias, column in used.items()
    }


def _add(columns: dict[str, Column], alias: str, value: Any, place: str) -> None:
    try:
        if alias not in columns:
            raise invalid_argument(f"JSON object: does not have named input: {alias}")
        columns[alias].add_like_others(value)
    except ServingError as error:
        raise invalid_argument(
            f"Failed to process element: {place} of 'instances' list."
            f" Error: {error.code.name}: {error.message}"
        ) from None


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not is_base64(value)
