"""Faults that the user can mend: what was found, what is allowed, what to do next."""

from __future__ import annotations

from collections.abc import Sequence

MOST_LINES = 10
"""Of one kind in one message; the rest is counted."""


def listed(lines: Sequence[str]) -> str:
    """Returns the first ten lines, each on one of its own and indented, and how many more."""
    more = len(lines) - MOST_LINES
    last = [f"and {more} more"] if more > 0 else []
    return "".join(f"\n  {line}" for line in [*lines[:MOST_LINES], *last])


class UserError(Exception):
    """A fault outside the program. Shown as its message alone, without a stack trace."""


class ConfigError(UserError):
    """The command's arguments or the configuration are wrong."""


class TrainingError(UserError):
    """The network can't be fitted with these settings."""


class DataError(UserError):
    """The pictures can't be used as they are."""
