"""Faults that the user can mend: what was found, what is allowed, what to do next."""

from __future__ import annotations


class UserError(Exception):
    """A fault outside the program. Shown as its message alone, without a stack trace."""


class ConfigError(UserError):
    """The command's arguments or the configuration are wrong."""


class TrainingError(UserError):
    """The network can't be fitted with these settings."""


class DataError(UserError):
    """The pictures can't be used as they are."""
