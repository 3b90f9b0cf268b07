"""Which split a picture was in: what one ingest hands on to the next, by content and by group."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from components.artifacts import packed_json
from components.image_example_gen.verdicts import Row

_FILE = "splits.json.gz"


@dataclasses.dataclass(frozen=True)
class Memory:
    """The splits of all pictures and groups of this and earlier runs."""

    pictures: Mapping[str, str] = dataclasses.field(default_factory=dict)  # by SHA-256
    groups: Mapping[str, str] = dataclasses.field(default_factory=dict)
    group_by: str | None = None  # what made the groups: by another rule a name means another thing

    def known(self, rows: Iterable[Row], group_by: str | None) -> set[str]:
        """Returns the splits that these pictures, or their groups, have been in."""
        groups = self.groups if group_by == self.group_by else {}
        found = set()
        for row in rows:
            found.add(self.pictures.get(row["sha256"], ""))
            found.add(groups.get(row.get("group", ""), ""))
        return found - {""}

    def is_part_of(self, later: Memory) -> bool:
        """Whether a later memory has every picture where this one has it."""
        return self.pictures.items() <= later.pictures.items()

    def with_(self, accepted: Iterable[Row], group_by: str | None) -> Memory:
        """Returns the memory after a run with these pictures; what is gone now stays known."""
        pictures = dict(self.pictures)
        groups = dict(self.groups) if group_by == self.group_by else {}
        for row in accepted:
            pictures[row["sha256"]] = row["split"]
            if "group" in row:
                groups[row["group"]] = row["split"]
        return Memory(pictures, groups, group_by)


def write(memory: Memory, folder: str) -> None:
    """Writes the memory into the folder of an ingest report."""
    packed_json.write(folder, _FILE, dataclasses.asdict(memory))


def read(folder: str) -> Memory:
    """Reads the memory in an ingest report's folder; nothing is known where it has none."""
    found = packed_json.read(folder, _FILE) if folder else None
    return Memory() if found is None else Memory(**found)
