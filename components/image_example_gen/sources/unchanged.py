"""Whether a source is as it was when it was listed, by the times of its folders alone.

A folder's time tells that an entry was added, removed or renamed, which is how pictures come and
go. A picture that is overwritten in place leaves it as it was.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable

from components.settings.data import Data
from components.step.code_version import code_version

_SETTLED = 2 * 10**9  # nanoseconds; the coarsest times, of FAT, are two seconds apart


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Facts that stay the same as long as a listing holds."""

    question: str  # a digest of what was asked for, and of the code that answered
    states: dict[str, list[int]]  # by path of a folder, or of a file that lists pictures

    def holds(self, data: Data) -> bool:
        """Checks whether a listing for these settings would find the same."""
        return self.question == _question(data) and all(
            state and state == _state(path) for path, state in self.states.items()
        )


def evidence(data: Data, places: Iterable[str], began: int) -> Evidence:
    """Returns what has to stay the same.

    Args:
      data: the settings of the listing.
      places: the folders and files that were read.
      began: when reading them began, in nanoseconds since the epoch. What changed after it, or so
        shortly before that it may change again without another time, counts as changed.
    """
    states = {path: _state(path) for path in places}
    for state in states.values():
        if max(state[:2], default=0) >= began - _SETTLED:
            state.clear()
    return Evidence(_question(data), states)


def _question(data: Data) -> str:
    """Returns the digest of what is asked for, and of the code that answers."""
    asked = data.model_dump_json(include=set(Data.model_fields))
    return hashlib.sha256(f"{code_version(__package__)}\n{asked}".encode()).hexdigest()


def _state(path: str) -> list[int]:
    try:
        state = os.stat(path)
    except OSError:
        return []
    return [state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino, state.st_dev]
