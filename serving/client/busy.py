"""Retries a request that a server had no thread for.

TensorFlow Serving answers RESOURCE_EXHAUSTED `Server Threadpool Exhausted` to what comes while all
of `--grpc_max_threads` are taken. gRPC's own retries (channel.py) see the code only, and a message
that is too large has the same code: it would be sent five times in vain. So these retries are here.
"""

from __future__ import annotations

import random
import time
from typing import Any

import grpc

_FIRST_SECONDS, _LONGEST_SECONDS = 0.1, 2.0
_TOO_LARGE = ("larger than max", "exceeds maximum size")  # gRPC in C++, Python and Go; in Java


def is_busy(error: Any) -> bool:
    """Checks whether the server refused a gRPC call for want of a thread or another resource."""
    return _is_exhausted(error) and not is_too_large(error)


def is_too_large(error: Any) -> bool:
    """Checks whether a gRPC call ended because a message is over the limit of one side."""
    details = error.details() or ""
    return _is_exhausted(error) and any(message in details for message in _TOO_LARGE)


def _is_exhausted(error: Any) -> bool:
    return bool(error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED)


class Busy:
    """The pauses of one request: random, growing up to two seconds, within its time.

    Args:
        seconds: how long the request may take with all its retries.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._longest = _FIRST_SECONDS

    def seconds_left(self) -> float:
        """Returns the seconds that are left for the request."""
        return max(0.0, self._end - time.monotonic())

    def pause(self, error: Any) -> float | None:
        """Returns the seconds to wait before the next retry; None: no retry follows."""
        # Clients that were refused together must not come back together.
        pause = random.uniform(0.2, 1.0) * self._longest
        self._longest = min(2 * self._longest, _LONGEST_SECONDS)
        return pause if is_busy(error) and pause < self.seconds_left() else None
