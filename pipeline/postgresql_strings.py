"""A way around a fault of ML Metadata's (1.16): over PostgreSQL no string may have a backslash.

It then writes SQL that PostgreSQL refuses (`'E'...'`, seen 2026-11-22 with PostgreSQL 15), and
TFX writes such strings: JSON within JSON, and the stack trace of a node that failed.
"""

from __future__ import annotations

from typing import Any

_STAND_IN = "\N{FULLWIDTH REVERSE SOLIDUS}"


class WithoutBackslashes:
    """ML Metadata's store, for which the strings of what is put in get a look-alike instead."""

    def __init__(self, store: Any):
        self._store = store

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not name.startswith("put_"):
            return method

        def put(*arguments: Any, **named: Any) -> Any:
            _clean([*arguments, *named.values()])
            return method(*arguments, **named)

        return put


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
