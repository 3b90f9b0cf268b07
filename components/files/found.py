"""A file that a listing found, on any file system."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Found:
    """One file of a listing."""

    path: str
    size: int  # bytes
    modified: int  # nanoseconds since the epoch; 0 where there are no times
