"""Errors of this project that TensorFlow wraps: those raised where a data set reads by Python."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator

from components.errors import UserError

_LAST_LINE = re.compile(r"^([\w.]+)\.(\w+): (.*?)(?:\n\n|\Z)", re.M | re.S)
"""The end of a trace in TensorFlow's message: module and class of an error, and what it says."""


@contextlib.contextmanager
def unwrapped() -> Iterator[None]:
    """Raises the `UserError` that was raised within a data set, in place of TensorFlow's error.

    TensorFlow keeps the text of it alone.
    """
    try:
        yield
    except Exception as error:
        # By name: not every step imports TensorFlow.
        by_tensorflow = any(kind.__name__ == "OpError" for kind in type(error).__mro__)
        own = _own(str(getattr(error, "message", ""))) if by_tensorflow else None
        if own is None:
            raise
        raise own from error


def _own(message: str) -> UserError | None:
    for module, name, text in _LAST_LINE.findall(message):
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type) and issubclass(kind, UserError):
            return kind(text)
    return None
