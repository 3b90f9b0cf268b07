"""tf.Examples of JSON requests to classify and regress (json_tensor.cc)."""

from __future__ import annotations

from typing import Any

from tensorflow.core.example.example_pb2 import Example
from tensorflow.core.example.feature_pb2 import Feature
from tensorflow_serving.apis.input_pb2 import Input

from serving.local_server import json_text
from serving.local_server.errors import invalid_argument
from serving.local_server.json_document import Document, decoded, format_error, is_base64


def examples(document: Document) -> Input:
    """Reads `{"context": {...}, "examples": [{feature: value}, ...]}`, the context where it is.

    Raises:
        ServingError: INVALID_ARGUMENT, not of that form.
    """
    found = Input()
    to = found.example_list.examples
    if "context" in document:
        found.example_list_with_context.context.CopyFrom(_example(document["context"]))
        to = found.example_list_with_context.examples
    if "examples" not in document:
        raise format_error(
            document, "When method is classify, key 'examples' is expected and was not found"
        )
    listed = document["examples"]
    if not isinstance(listed, list):
        raise format_error(document, "Expecting 'examples' value to be an list/array")
    if not listed:
        raise format_error(document, "'examples' value is an empty array")
    to.extend(_example(features) for features in listed)
    return found


def _example(features: Any) -> Example:
    if not isinstance(features, dict):
        kind = json_text.kind(features)
        raise invalid_argument(f"Example must be JSON object but got JSON {kind}")
    example = Example()
    for name, value in features.items():
        feature = _feature(name, value if isinstance(value, list) else [value])
        try:
            example.features.feature[name].CopyFrom(feature)
        except ValueError:  # C++ would take it, and complain in its log
            raise invalid_argument(f"Feature: {name} has a name that is no UTF-8") from None
    return example


def _feature(name: str, values: list[Any]) -> Feature:
    feature = Feature()
    for value in values:
        kind, leaf = _kind(name, value)
        if feature.WhichOneof("kind") not in (None, kind):
            raise invalid_argument(
                f"Unexpected element type in feature: {name} expecting type:"
                f" {feature.WhichOneof('kind').removesuffix('_list')}"
            )
        getattr(feature, kind).value.append(leaf)
    return feature


def _kind(name: str, value: Any) -> tuple[str, bytes | int | float]:
    """The list of a feature that holds `value`, and what it holds there."""
    match value:
        case int() if value >= 2**63:
            raise invalid_argument(
                f"Feature: {name} has uint64_t element. Only int64_t is supported."
            )
        case bool() | int():
            return "int64_list", int(value)
        case float():
            return "float_list", value
        case str():
            return "bytes_list", value.encode(errors="surrogateescape")
        case dict() if is_base64(value):
            return "bytes_list", decoded(value)
    raise invalid_argument(
        f"Feature: {name} has element with unexpected JSON type: {json_text.kind(value)}"
    )
