"""Which split a picture belongs to: a pure function of its content or group."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from components.features import SPLITS
from components.image_example_gen.sources import SourceFile
from components.settings.data import Data, Splits


def split_key(file: SourceFile, content: str, data: Data) -> str:
    """Gives what keeps pictures together: a group, in the source or in the path, else the content.

    Args:
      file: the picture's file.
      content: the SHA-256 of its bytes.
      data: has `group_by`, a regular expression.
    """
    if file.group is not None:
        return file.group
    match = re.search(data.group_by, file.below or file.name) if data.group_by else None
    if match is None:
        return content
    first = match.group(1) if match.re.groups else None
    return match.group(0) if first is None else first


def split_of(key: str, parts: Splits, among: Sequence[str] = SPLITS) -> str:
    """Gives the split, one of those `among` which is chosen, of everything with this key.

    It depends on nothing else, so a picture keeps its split when others come or go, and equal
    pictures never lie on two sides.
    """
    weights = [getattr(parts, split) for split in among]
    position = int(hashlib.sha256(key.encode()).hexdigest(), 16) % sum(weights)
    for split, weight in zip(among, weights, strict=True):
        if position < weight:
            return split
        position -= weight
    raise AssertionError("a position under the sum of the weights lies in one of them")
