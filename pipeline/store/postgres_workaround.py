"""A way around two faults of TFX 1.16 and ML Metadata 1.16 that SQLite does not show.

No string may have a backslash over PostgreSQL: ML Metadata then writes SQL that it refuses
(`'E'...'`, seen 2026-11-22 with PostgreSQL 15), and TFX writes such strings: JSON within JSON, and
the stack trace of a node that failed.

TFX takes the answer of `get_artifacts_by_id` for one in the order of the ids. PostgreSQL gives
rows in the order in which they lie, and each update moves one: a cached Trainer's two outputs were
taken for each other (seen 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_STAND_IN = "\N{FULLWIDTH REVERSE SOLIDUS}"


class ServerStore:
    """ML Metadata's store, over a server whose database may be PostgreSQL.

    Strings that are put in have a look-alike for each backslash; artifacts got by ids come in
    their order.
    """

    def __init__(self, store: Any):
        self._store = store

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name.startswith("put_"):
            return _putting(method)
        return _getting(method) if name.endswith("_by_id") else method


def _putting(method: Callable[..., Any]) -> Callable[..., Any]:
    def put(*arguments: Any, **named: Any) -> Any:
        _clean([*arguments, *named.values()])
        return method(*arguments, **named)

    return put


def _getting(method: Callable[..., Any]) -> Callable[..., Any]:
    def get(ids: Sequence[int], *arguments: Any, **named: Any) -> Any:
        found = {one.id: one for one in method(ids, *arguments, **named)}
        return [found[number] for number in ids if number in found]

    return get


def _clean(what: Any) -> None:
    """Changes the properties of all artifacts, executions and contexts in these."""
    if isinstance(what, list | tuple):
        for part in what:
            _clean(part)
    for field in ("properties", "custom_properties"):
        values = getattr(what, field, {})
        for key in values:
            # A type's properties are numbers of an enumeration.
            if "\\" in getattr(values[key], "string_value", ""):
                values[key].string_value = values[key].string_value.replace("\\", _STAND_IN)
