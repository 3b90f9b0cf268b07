"""Lets a training that was killed go on from its last finished epoch."""

from __future__ import annotations

import dataclasses
import io
import json
import os
from typing import Any

import numpy as np
from tfx.dsl.io import fileio

from components.trainer.record import Row

_FILE = "backup.npz"
_GROUPS = ("weights", "optimizer", "best")


@dataclasses.dataclass(frozen=True)
class State:
    """All that the rest of a training depends on, after an epoch."""

    phase: str
    epochs: int
    """How many of the phase are finished."""
    finished: bool
    """No further epoch of this phase follows."""
    weights: list[np.ndarray]
    """Of what learns in this phase."""
    optimizer: list[np.ndarray]
    best: list[np.ndarray]
    """The weights of the best epoch so far."""
    rows: list[Row]
    best_row: Row | None


class Backup:
    """One file in a folder, replaced as a whole."""

    def __init__(self, folder: str):
        """Looks at what an earlier attempt left.

        Args:
          folder: of this training alone: named by what it depends on.
        """
        fileio.makedirs(folder)
        self._path = os.path.join(folder, _FILE)
        self.state = self._read()
        """Where the earlier attempt was, None if there was none."""

    def write(self, state: State) -> None:
        """Keeps a state; whoever is killed here leaves the one before."""
        facts = {
            name: getattr(state, name)
            for name in ("phase", "epochs", "finished", "rows", "best_row")
        }
        arrays: dict[str, Any] = {"facts": np.frombuffer(json.dumps(facts).encode(), np.uint8)}
        for group in _GROUPS:
            for number, array in enumerate(getattr(state, group)):
                arrays[f"{group}/{number}"] = array
        content = io.BytesIO()
        np.savez(content, **arrays)
        with fileio.open(f"{self._path}.new", "wb") as file:
            file.write(content.getvalue())
        fileio.rename(f"{self._path}.new", self._path, overwrite=True)

    def _read(self) -> State | None:
        if not fileio.exists(self._path):
            return None
        with fileio.open(self._path, "rb") as file:
            content = io.BytesIO(file.read())
        with np.load(content, allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            groups: dict[str, Any] = {
                group: [arrays[f"{group}/{number}"] for number in range(_count(arrays, group))]
                for group in _GROUPS
            }
        return State(**facts, **groups)


def _count(arrays: Any, group: str) -> int:
    return sum(name.startswith(f"{group}/") for name in arrays.files)
