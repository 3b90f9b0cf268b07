"""Writes a network's weights to a file, or says that there is no room for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from components.files.space import reserve

if TYPE_CHECKING:
    import keras

_HEADER_BYTES = 10_000  # of a variable in HDF5: names and groups, roughly


def save_weights(base: keras.Model, file: Path) -> None:
    """Writes a network's weights as Keras does, into a folder on this machine.

    Raises:
      OSError: they don't fit there.
    """
    reserve(file, 4 * base.count_params() + _HEADER_BYTES * len(base.weights))
    base.save_weights(file)
