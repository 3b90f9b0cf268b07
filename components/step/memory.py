"""Memory that nothing holds any more goes back to the system."""

from __future__ import annotations

import ctypes
import functools
import gc
from collections.abc import Callable


def give_back() -> None:
    """Frees what only cycles hold, as TensorFlow's graphs do, and gives free blocks to the system.

    The C library keeps them for later: one node's weights and maps would count beside the next
    one's. What heavy imports made is not looked at (`environment.heavy_imports` of the pipeline).
    """
    gc.collect()
    _trim()(0)


@functools.cache
def _trim() -> Callable[[int], int]:
    """Returns glibc's `malloc_trim`; what does nothing where there is another C library."""
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return lambda _: 0
    return found
