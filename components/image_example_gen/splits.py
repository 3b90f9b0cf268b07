"""Which split a picture belongs to: a pure function of its content or group."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from components.artifacts.features import SPLITS
from components.settings.data import Splits


def split_of(key: str, parts: Splits, among: Sequence[str] = SPLITS) -> str:
    """Returns the split, one of `among`, of every picture with this key.

    The split depends on nothing else, so a picture keeps its split when others come or go, and
    equal pictures never lie on two sides.
    """
    weights = [getattr(parts, split) for split in among]
    position = int(hashlib.sha256(key.encode()).hexdigest(), 16) % sum(weights)
    for split, weight in zip(among, weights, strict=True):
        if position < weight:
            return split
        position -= weight
    raise AssertionError("a position under the sum of the weights lies in one of them")
