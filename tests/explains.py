"""Holds a message against the three questions of whoever reads it."""

from __future__ import annotations

import re


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
