"""Which split a picture was in: what one ingest hands on to the next, by content and by group.

`splits.parquet` has a row per picture (its SHA-256 in raw bytes) and per group, and in its metadata
the rule that made the groups. Earlier versions wrote `splits.json.gz`, which is read as well.
"""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Iterable, Mapping

import numpy as np

from components.artifacts import packed_json, parquet
from components.artifacts.features import SPLITS
from components.artifacts.rows import Row, Rows
from components.artifacts.text_map import TextMap

_FILE, _OLD = "splits.parquet", "splits.json.gz"
_RULE = b"group_by"
_PICTURE, _GROUP, _SPLIT = "sha256", "group", "split"
_PIECE = 1 << 17  # rows of a row group


class Known(TextMap):
    """The splits by SHA-256 or by group."""

    def splits(self, rows: Rows) -> np.ndarray:
        """Returns the split of each row by its key: [rows] int64 positions in `SPLITS`, or -1."""
        return np.append(split_codes(self.rows), -1)[self.positions(rows)]

    def with_(self, rows: Rows) -> Known:
        """Returns these with others, which count where both have a key."""
        added = rows.where(rows.has(self._key) & rows.has(_SPLIT))
        codes, _ = added.codes(self._key)
        last = len(codes) - 1 - np.unique(codes[::-1], return_index=True)[1]
        added = added.take(np.sort(last))
        stays = Known(added, self._key, _SPLIT).positions(self.rows) < 0
        tables = [each.table for each in (self.rows.where(stays), added) if len(each)]
        columns = [table.select([self._key, _SPLIT]) for table in tables]
        return Known(Rows.joined(columns), self._key, _SPLIT)


def split_codes(rows: Rows) -> np.ndarray:
    """Returns the split of each row: [rows] int64 positions in `SPLITS`, -1 for none."""
    codes, values = rows.codes("split")
    place = [SPLITS.index(name) for name in values.to_pylist()]
    return np.array([*place, -1], np.int64)[codes]


@dataclasses.dataclass(frozen=True)
class Memory:
    """The splits of all pictures and groups of this and earlier runs."""

    pictures: Mapping[str, str] = dataclasses.field(default_factory=dict)  # by SHA-256
    groups: Mapping[str, str] = dataclasses.field(default_factory=dict)
    group_by: str | None = None  # what made the groups: by another rule a name means another thing

    def known(self, rows: Iterable[Row], group_by: str | None) -> set[str]:
        """Returns the splits that these pictures, or their groups, have been in."""
        codes = np.unique(self._both(Rows.of(rows), group_by))
        return {SPLITS[code] for code in codes.tolist() if code < len(SPLITS)}

    def most_known(self, rows: Rows, group_by: str | None) -> np.ndarray:
        """Returns the split that each picture, or its group, has been in.

        Where those are two, the one of which a model knows more: [rows] int64 positions in
        `SPLITS`, and their number for nowhere.
        """
        return self._both(rows, group_by).min(axis=0)

    def _both(self, rows: Rows, group_by: str | None) -> np.ndarray:
        """Returns the splits by picture and by group: [2, rows], the number of splits for none."""
        of_picture = Known.of(self.pictures, _PICTURE, _SPLIT).splits(rows)
        groups = self.groups if group_by == self.group_by else {}
        both = np.stack([of_picture, Known.of(groups, _GROUP, _SPLIT).splits(rows)])
        return np.where(both < 0, len(SPLITS), both)

    def before(self, rows: Rows) -> np.ndarray:
        """Returns the split that each picture has been in: as positions in `SPLITS`, or -1."""
        return Known.of(self.pictures, _PICTURE, _SPLIT).splits(rows)

    def is_part_of(self, later: Memory) -> bool:
        """Checks whether a later memory has every picture where this one has it."""
        mine = Known.of(self.pictures, _PICTURE, _SPLIT)
        there = Known.of(later.pictures, _PICTURE, _SPLIT).splits(mine.rows)
        return bool((there == split_codes(mine.rows)).all())

    def with_(self, accepted: Iterable[Row], group_by: str | None) -> Memory:
        """Returns the memory after a run with these pictures; what is gone now stays known."""
        rows = Rows.of(accepted)
        groups = self.groups if group_by == self.group_by else {}
        return Memory(
            Known.of(self.pictures, _PICTURE, _SPLIT).with_(rows),
            Known.of(groups, _GROUP, _SPLIT).with_(rows),
            group_by,
        )


def write(memory: Memory, folder: str) -> None:
    """Writes the memory into the folder of an ingest report."""
    from tfx.dsl.io import fileio

    fileio.makedirs(folder)
    known = [Known.of(memory.pictures, _PICTURE, _SPLIT), Known.of(memory.groups, _GROUP, _SPLIT)]
    rows = Rows.joined([each.rows.table for each in known if len(each)])
    table = rows.table
    if memory.group_by is not None:
        table = table.replace_schema_metadata({_RULE: memory.group_by.encode()})
    parquet.write(posixpath.join(folder, _FILE), table, _PIECE)


def read(folder: str) -> Memory:
    """Reads the memory in an ingest report's folder; nothing is known where it has none."""
    if not folder:
        return Memory()
    from tfx.dsl.io import fileio

    path = posixpath.join(folder, _FILE)
    if not fileio.exists(path):
        found = packed_json.read(folder, _OLD)
        return Memory() if found is None else Memory(**found)
    opened = parquet.opened(path)
    rows = Rows(opened.read())
    metadata = opened.schema_arrow.metadata or {}
    rule = metadata[_RULE].decode() if _RULE in metadata else None
    of_group = rows.has(_GROUP)
    pictures, groups = rows.where(~of_group).without(_GROUP), rows.where(of_group).without(_PICTURE)
    return Memory(Known(pictures, _PICTURE, _SPLIT), Known(groups, _GROUP, _SPLIT), rule)
