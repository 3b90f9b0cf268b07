"""Retries actions that fail for a moment, and waits for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

WAITS = (0.5, 1, 2, 4, 8, 15)
"""Seconds between attempts at a server or a mount: half a minute in all."""

Result = TypeVar("Result")


def retried(
    action: Callable[[], Result], waits: Sequence[float], is_transient: Callable[[Exception], bool]
) -> Result:
    """Returns the result of `action`, which is retried after transient errors.

    Args:
      action: may be done several times.
      waits: seconds before each further attempt.
      is_transient: whether to retry after this error.

    Raises:
      Exception: that of the last attempt, or the first one that is not transient.
    """
    for wait in waits:
        try:
            return action()
        except Exception as error:
            if not is_transient(error):
                raise
        time.sleep(wait)
    return action()


def waited_until(happened: Callable[[], bool], seconds: float, pause: float = 1.0) -> bool:
    """Calls `happened` until it returns True; returns False where that takes too long.

    Args:
      happened: whether the event has happened.
      seconds: how long to wait at most.
      pause: seconds between two looks.
    """
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True
