"""Holds a message against the three questions of its reader, in the test's own words."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import TypeVar

import pytest

Fault = TypeVar("Fault", bound=Exception)


def explains(message: str, *, found: str, allowed: str, next: str) -> None:
    """Checks that a message says what was found, what is allowed or needed, and what to do.

    Args:
      message: as it is shown.
      found: a pattern of what was found.
      allowed: a pattern of what would have been right.
      next: a pattern of what to do.
    """
    for question, answer in (("found", found), ("allowed", allowed), ("next", next)):
        assert re.search(answer, message, re.DOTALL), f"{question}: {answer!r} not in {message!r}"
    assert "Traceback" not in message and "SELECT " not in message


@contextlib.contextmanager
def refused(
    kind: type[Fault], *, found: str, allowed: str, next: str
) -> Iterator[pytest.ExceptionInfo[Fault]]:
    """Checks that what is done in the context is refused, by a message that answers all three.

    `pytest.raises(kind, match=...)` would be content with one of them; tests/tools/test_messages.py
    finds it where a user's fault is meant.

    Args:
      kind: of the error.
      found: a pattern of what was found.
      allowed: a pattern of what would have been right.
      next: a pattern of what to do.

    Yields:
      What pytest knows of the error, afterwards.
    """
    with pytest.raises(kind) as told:
        yield told
    explains(str(told.value), found=found, allowed=allowed, next=next)
