"""The JSON object of a request, read as rapidjson reads it (json_tensor.cc, ParseJson)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import math
from collections.abc import Mapping
from typing import Any

from serving.local_server import json_text
from serving.local_server.errors import ServingError, invalid_argument

Document = dict[str, Any]


def parse(body: bytes) -> Document:
    """Reads a request's JSON object; bytes that are no UTF-8 are kept by `surrogateescape`.

    Raises:
        ServingError: INVALID_ARGUMENT, it is none.
    """
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    text = body.decode("utf-8-sig", "surrogateescape")
    try:
        document = json.loads(
            text, object_pairs_hook=_first_of_each, parse_int=_integer, parse_float=_double
        )
        if "\\u" in text:  # halves of surrogate pairs
            json.dumps(document, ensure_ascii=False).encode(errors="surrogateescape")
    except (ValueError, RecursionError) as error:
        raise invalid_argument(f"JSON Parse error: {error}") from None
    if not isinstance(document, dict):
        raise format_error(document, "Is not object")
    return document


def format_error(found: Any, fault: str) -> ServingError:
    """Returns the error about a value of another form, which it shows."""
    return invalid_argument(f"JSON Value: {json_text.value(found)} {fault}")


def signature_name(document: Document) -> str:
    """Returns the signature that a request names; empty where it names none.

    Raises:
        ServingError: INVALID_ARGUMENT, it is no string.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise format_error(
            document, "not formatted correctly. 'signature_name' key must be a string value."
        )
    return name


def is_base64(found: Any) -> bool:
    """Checks whether a value is `{"b64": "..."}` and nothing else."""
    return isinstance(found, dict) and found.keys() == {"b64"} and isinstance(found["b64"], str)


def decoded(found: Mapping[str, str]) -> bytes:
    """Decodes `{"b64": "..."}`: standard base64 as absl::Base64Unescape reads it.

    White space and a missing padding are accepted.

    Raises:
        ServingError: INVALID_ARGUMENT, it is none.
    """
    text = "".join(found["b64"].split())
    letters = text.rstrip("=.")  # both are padding, which may be missing, but not in part
    missing = -len(letters) % 4
    if text == letters or len(text) == len(letters) + missing:
        with contextlib.suppress(binascii.Error, ValueError):
            return base64.b64decode(letters + "=" * missing, validate=True)
    raise invalid_argument("Unable to base64 decode")


def _first_of_each(pairs: list[tuple[str, Any]]) -> Document:
    document: Document = {}
    for key, value in pairs:
        document.setdefault(key, value)  # rapidjson finds the first of several
    return document


def _integer(text: str) -> int | float:
    number = int(text)
    return number if -(2**63) <= number < 2**64 else _double(text)


def _double(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("Number too big to be stored in double.")
    return number
