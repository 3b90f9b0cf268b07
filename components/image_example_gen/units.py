"""The units that are cut into splits: which pictures stay together, and where they have been."""

from __future__ import annotations

import collections
from collections.abc import Mapping

from components.image_example_gen.memory import Memory
from components.image_example_gen.splits import MOST_KNOWN_FIRST, Unit
from components.image_example_gen.verdicts import Row
from components.settings.data import NEAR_DUPLICATES, Data


def make(rows: list[Row], data: Data, memory: Memory) -> list[tuple[Unit, list[Row]]]:
    """Returns each unit with its pictures; those whose split the source gives are in none.

    Of a unit whose pictures have been in several splits, the one of which a model knows most
    counts: no picture moves from `train` to another one.
    """
    together: dict[str, list[Row]] = collections.defaultdict(list)
    to_cut = [row for row in rows if "split" not in row]
    cluster: Mapping[str, str] = {}
    if data.group_by == NEAR_DUPLICATES:
        from components.image_example_gen.near_duplicates import clusters  # brings NumPy

        cluster = clusters(to_cut)
    for row in to_cut:
        own = f"group {row['group']}" if "group" in row else row["sha256"]
        together[cluster.get(row["file"], own)].append(row)
    found = []
    for key, members in together.items():
        been = memory.known(members, data.group_by)
        known = next((split for split in MOST_KNOWN_FIRST if split in been), None)
        counts = collections.Counter(row["label"] for row in members)
        found.append((Unit(key, counts, known), members))
    return found
