"""Reads the 8-bit weights of a TensorFlow.js layers model that npm packages ship as JavaScript.

`model.min.js` lists tensors (name, shape, quantization); each shard module exports one base64
string, and the shards joined hold the tensors' bytes in the list's order. The texts are parsed,
never run. Format: TensorFlow.js `weightsManifest`, https://github.com/tensorflow/tfjs.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Iterator

import numpy as np

_NUMBER = r"(-?[\d.]+(?:e[-+]?\d+)?)"
_TENSOR = re.compile(
    r'\{name:"([\w/]+)",shape:\[([\d,]*)\],dtype:"float32",'
    rf'quantization:\{{min:{_NUMBER},scale:{_NUMBER},dtype:"uint8"\}}\}}'
)
_BASE64 = re.compile(r'\.exports="([A-Za-z0-9+/]+={0,2})"')


class TfjsFormatError(ValueError):
    """The text is not the model that was expected."""


def read_tensors(model: str, shards: Iterable[str]) -> dict[str, np.ndarray]:
    """Returns the model's tensors, name to float32 array: value = byte * scale + min.

    Args:
      model: the text of `model.min.js`.
      shards: the texts of the shard modules, in order.

    Raises:
      TfjsFormatError: a tensor or a shard can't be read, or bytes are missing or left over.
    """
    start = model.find("weightsManifest:")
    found = _TENSOR.findall(model, max(start, 0))
    if start < 0 or len(found) != model.count("{name:", start):
        raise TfjsFormatError("the list of weights is not of the known form")
    data = np.frombuffer(b"".join(_payloads(shards)), np.uint8)
    sizes = [math.prod(_shape(shape)) for _, shape, _, _ in found]
    if sum(sizes) != data.size:
        raise TfjsFormatError(f"{data.size} bytes of weights, but the list describes {sum(sizes)}")
    parts = np.split(data, np.cumsum(sizes)[:-1])
    return {
        name: (part * np.float32(scale) + np.float32(minimum)).reshape(_shape(shape))
        for (name, shape, minimum, scale), part in zip(found, parts, strict=True)
    }


def _shape(text: str) -> list[int]:
    return [int(size) for size in text.split(",") if size]


def _payloads(shards: Iterable[str]) -> Iterator[bytes]:
    for number, shard in enumerate(shards, start=1):
        texts = _BASE64.findall(shard)
        if len(texts) != 1:
            raise TfjsFormatError(f"shard {number} holds {len(texts)} base64 texts, not one")
        yield base64.b64decode(texts[0], validate=True)
