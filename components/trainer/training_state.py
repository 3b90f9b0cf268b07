"""Where a training stands after an epoch, in a file from which a killed one resumes."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import zipfile
from typing import Any, BinaryIO

import keras
import numpy as np
from tfx.dsl.io import fileio

from components.trainer.history import History

PHASES = ("frozen", "unfrozen")
"""In the order of the training."""

_FILE = "training_state.npz"
_ARRAYS = ("weights", "optimizer", "best")
_FACTS = ("phase", "epoch", "finished")


@dataclasses.dataclass
class TrainingState:
    """All that the rest of a training depends on.

    Callbacks that follow the loss (early stopping, reduce on plateau) have no part of their own:
    they are shown the history again.
    """

    phase: str | None = None
    """None before the first one."""
    epoch: int = 0
    """How many of the phase are finished."""
    finished: bool = False
    """No further epoch of this phase follows."""
    weights: list[np.ndarray] = dataclasses.field(default_factory=list)
    """Of the phase's learner, from `learner.get_weights()`; filled in what is saved and loaded."""
    optimizer: list[np.ndarray] = dataclasses.field(default_factory=list)
    """Its variables, filled alike."""
    best: list[np.ndarray] = dataclasses.field(default_factory=list)
    """The learner's weights in the epoch that is kept of all phases: until one of this phase takes
    its place, those that it started from."""
    history: History = dataclasses.field(default_factory=History)

    @classmethod
    def load(cls, folder: str) -> TrainingState:
        """Loads what an earlier attempt saved; returns a new state where there was none.

        Args:
          folder: of this training alone: named by what it depends on.
        """
        path = os.path.join(folder, _FILE)
        if not fileio.exists(path):
            return cls()
        with fileio.open(path, "rb") as file:
            content = io.BytesIO(file.read())
        with np.load(content, allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            history = History(**facts.pop("history"))
            groups: dict[str, Any] = {group: _group(arrays, group) for group in _ARRAYS}
        return cls(**facts, **groups, history=history)

    def save(self, folder: str) -> None:
        """Replaces the file as a whole; a process killed meanwhile leaves the one before."""
        facts = {name: getattr(self, name) for name in _FACTS}
        facts["history"] = dataclasses.asdict(self.history)
        arrays: dict[str, Any] = {"facts": np.frombuffer(json.dumps(facts).encode(), np.uint8)}
        for group in _ARRAYS:
            for number, array in enumerate(getattr(self, group)):
                arrays[f"{group}/{number}"] = array
        fileio.makedirs(folder)
        path = os.path.join(folder, _FILE)
        # Not `np.savez`: where a write fails it leaves an open archive, which writes its end once
        # it is dropped; TensorFlow's file, closed by then, ends the process.
        with (
            fileio.open(f"{path}.new", "wb") as file,
            zipfile.ZipFile(_Stream(file), "w") as archive,
        ):
            for name, array in arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array(entry, array, allow_pickle=False)
        fileio.rename(f"{path}.new", path, overwrite=True)

    def is_past(self, phase: str) -> bool:
        """Checks whether the training has reached a later phase."""
        return self.phase is not None and PHASES.index(self.phase) > PHASES.index(phase)

    def begin(self, phase: str, learner: keras.Model) -> None:
        """Sets the state to before a phase's first epoch, unless it is within that phase."""
        if self.phase != phase:
            self.phase, self.epoch, self.finished = phase, 0, False
            self.best = learner.get_weights()

    def with_weights(self, learner: keras.Model) -> TrainingState:
        """Returns a copy to save, with the weights of a learner and its optimizer's variables."""
        return dataclasses.replace(
            self,
            weights=learner.get_weights(),
            optimizer=[variable.numpy() for variable in learner.optimizer.variables],
        )

    def restore(self, learner: keras.Model) -> None:
        """Assigns the loaded weights to a learner, and the variables to its optimizer."""
        learner.optimizer.build(learner.trainable_variables)
        learner.set_weights(self.weights)
        for variable, value in zip(learner.optimizer.variables, self.optimizer, strict=True):
            variable.assign(value)


class _Stream(io.RawIOBase):
    """A file of any file system for NumPy to write to, piece by piece; it is never held whole."""

    def __init__(self, file: BinaryIO):
        super().__init__()
        self._file = file

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._file.write(bytes(data))
        return len(data)


def _group(arrays: Any, group: str) -> list[np.ndarray]:
    count = sum(name.startswith(f"{group}/") for name in arrays.files)
    return [arrays[f"{group}/{number}"] for number in range(count)]
