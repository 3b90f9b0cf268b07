"""Whether the SQLite file of an ML Metadata store is whole: SQLite's own checks, and its content.

SQLite keeps no checksums: a flipped bit within a text passes its checks, and ends later in a text
that is none. A table that is gone is no fault to SQLite, and to ML Metadata a store that is busy.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from components.files.paths import is_remote
from serving.names import some

_TABLES = frozenset({
    "Artifact", "ArtifactProperty", "Association", "Attribution", "Context", "ContextProperty",
    "Event", "EventPath", "Execution", "ExecutionProperty", "MLMDEnv", "Type", "TypeProperty",
})  # fmt: skip
"""Of every version of ML Metadata; a store that was never written has none of them."""
_TEXTS = "TEXT", "VARCHAR(255)"


def damage(file: str) -> str | None:
    """Returns what is damaged; None where nothing is, where SQLite can't look, or no file is."""
    if is_remote(file) or not os.path.isfile(file):
        return None
    location = f"{Path(file).absolute().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(location, uri=True, timeout=1)) as connection:
            [[found]] = connection.execute("PRAGMA quick_check(1)").fetchall()
            if found != "ok":
                return " ".join(str(found).split())
            return _in_its_content(connection)
    except sqlite3.DatabaseError as error:
        # Its subclasses are other faults: a locked file, one that this user may not read.
        return str(error) if type(error) is sqlite3.DatabaseError else None


def _in_its_content(connection: sqlite3.Connection) -> str | None:
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    there = _TABLES & {name for [name] in names}
    if there and there != _TABLES:
        return f"tables of ML Metadata are gone ({some(sorted(_TABLES - there))})"
    for table in sorted(there):
        columns = connection.execute(f"PRAGMA table_info({table})").fetchall()
        for name in [column[1] for column in columns if column[2] in _TEXTS]:
            if not _are_texts(connection, f"SELECT {name} FROM {table}"):
                return f"{table}.{name} holds what is no text"
    return None


def _are_texts(connection: sqlite3.Connection, query: str) -> bool:
    try:
        return not any(isinstance(value, bytes) for [value] in connection.execute(query))
    except sqlite3.OperationalError as error:
        if "decode to UTF-8" in str(error):
            return False
        raise
