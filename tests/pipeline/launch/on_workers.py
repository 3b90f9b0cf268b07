"""What Beam's workers run of test_clusters.py: they can't import what imports `tools/`."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable


def killed_once(number: int, mark: str) -> int:
    """Returns the number; the first worker that is given 7 kills itself."""
    if number == 7:
        try:
            os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return number
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def line_of(parity: int, numbers: Iterable[int]) -> str:
    return f"{parity} {sorted(numbers)}"
