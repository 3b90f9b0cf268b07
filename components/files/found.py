"""A file that a listing found, on any file system."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """One file of a listing."""

    path: str
    size: int  # bytes
    modified: int  # nanoseconds since the epoch; 0 where there are no times

    def as_row(self) -> tuple[str, int, int]:
        """Returns its values, for `of_row`."""
        return self.path, self.size, self.modified

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Found:
        """Returns the file of a row that `as_row` returned."""
        return cls(*row)
