"""The units that are cut into splits: which pictures stay together, and where they have been."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
import pyarrow as pa

from components.artifacts.features import SPLITS
from components.artifacts.rows import Rows
from components.image_example_gen.memory import Memory
from components.image_example_gen.splits import Units, positions
from components.settings.data import NEAR_DUPLICATES, Data


def make(rows: Rows, data: Data, memory: Memory) -> tuple[Units, np.ndarray]:
    """Returns the units, and which of them each picture is in.

    Of a unit whose pictures have been in several splits, the one of which a model knows most
    counts: no picture moves from `train` to another one.

    Returns:
      The units; [rows] int64, -1 for those whose split the source gives.
    """
    to_cut = ~rows.has("split")
    chosen = rows.where(to_cut)
    keys: Collection[str]
    if data.group_by == NEAR_DUPLICATES:
        from components.image_example_gen.near_duplicates import clusters_of  # brings NumPy

        unit, keys = clusters_of(chosen)
    else:
        unit, keys = _by_group_and_content(chosen)
    label, labels = chosen.shared("label")
    known = np.full(len(keys), len(SPLITS))
    np.minimum.at(known, unit, memory.most_known(chosen, data.group_by))
    units = Units(positions(keys), np.where(known < len(SPLITS), known, -1), labels, unit, label)
    found = np.full(len(rows), -1)
    found[to_cut] = unit
    return units, found


class _Keys(Collection[str]):
    """Keys of units: those of groups, and then contents."""

    def __init__(self, groups: pa.Array, contents: Rows):
        self._groups, self._contents = groups, contents

    def __len__(self) -> int:
        return len(self._groups) + len(self._contents)

    def __contains__(self, key: object) -> bool:
        return any(key == each for each in self)

    def __iter__(self) -> Iterator[str]:
        yield from (f"group {name}" for name in self._groups.to_pylist())
        yield from (str(text) for text in self._contents.texts("sha256"))


def _by_group_and_content(rows: Rows) -> tuple[np.ndarray, _Keys]:
    """Returns the unit of each picture: its group, or else its content; and the units' keys."""
    unit, groups = rows.codes("group")
    alone = unit < 0
    content, _ = rows.where(alone).codes("sha256")
    if len(content):
        _, first = np.unique(content, return_index=True)
    else:
        first = np.zeros(0, np.int64)
    unit[alone] = len(groups) + content
    return unit, _Keys(groups, rows.where(alone).take(first))
