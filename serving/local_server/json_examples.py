"""tf.Examples as JSON, and classifications, as the REST API has them (json_tensor.cc)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tensorflow.core.example.example_pb2 import Example
from tensorflow_serving.apis.classification_pb2 import (
    ClassificationRequest,
    ClassificationResponse,
)

from serving.local_server import json_tensors
from serving.local_server.errors import invalid_argument


def fill(request: ClassificationRequest, body: bytes) -> None:
    """Reads `{"signature_name": ..., "context": {...}, "examples": [{feature: value}, ...]}`.

    Raises:
        ServingError: INVALID_ARGUMENT, not JSON or not of that form.
    """
    document = json_tensors.parse_object(body)
    request.model_spec.signature_name = json_tensors.signature_name(document)
    examples = document.get("examples")
    if not isinstance(examples, list) or not examples:
        raise invalid_argument("Expecting 'examples' to be a list with values")
    sent = request.input.example_list
    if "context" in document:
        with_context = request.input.example_list_with_context
        with_context.context.CopyFrom(_example(document["context"]))
        sent = with_context
    sent.examples.extend(_example(example) for example in examples)


def answer(response: ClassificationResponse) -> dict[str, Any]:
    """Gives `{"results": [[[label, score], ...], ...]}`, one list per example."""
    return {
        "results": [
            [[entry.label, json_tensors.shortest(entry.score)] for entry in classifications.classes]
            for classifications in response.result.classifications
        ]
    }


def _example(features: Any) -> Example:
    if not isinstance(features, Mapping):
        raise invalid_argument("Example must be JSON object")
    example = Example()
    for name, value in features.items():
        feature = example.features.feature[name]
        for element in value if isinstance(value, list) else [value]:
            kind, leaf = _kind(name, element)
            if feature.WhichOneof("kind") not in (None, kind):
                raise invalid_argument(
                    f"Unexpected element type in feature: {name} expecting type:"
                    f" {feature.WhichOneof('kind').removesuffix('_list')}"
                )
            try:
                getattr(feature, kind).value.append(leaf)
            except ValueError as error:  # over 64 bit
                raise invalid_argument(f"Feature: {name}: {error}") from None
    return example


def _kind(name: str, value: Any) -> tuple[str, bytes | int | float]:
    """The list of a feature that holds `value`, and what it holds there."""
    match value:
        case bool():
            return "int64_list", int(value)
        case int():
            return "int64_list", value
        case float():
            return "float_list", value
        case str():
            return "bytes_list", value.encode()
        case {"b64": str(encoded)} if len(value) == 1:
            return "bytes_list", json_tensors.decoded(encoded)
    raise invalid_argument(
        f"Feature: {name} has element with unexpected JSON type: {type(value).__name__}"
    )
