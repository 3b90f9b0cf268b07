"""Memory that nothing holds any more goes back to the system."""

from __future__ import annotations

import ctypes
import functools
import gc
import os
from collections.abc import Callable
from typing import Any

_MMAP_THRESHOLD, _BYTES = -3, 131072  # mallopt(3): glibc's own value at the start of a process


def map_large_blocks() -> None:
    """Has the C library give each block of 128 KiB and more to the system once it is freed.

    It would go on to keep ever larger ones, up to 32 MiB: after a graph's constants 0.2 GB, for the
    same seconds of CPU (InceptionV3, measured 2026-11-28). What the user set for it stays.
    """
    if "MALLOC_MMAP_THRESHOLD_" not in os.environ:
        _of_glibc("mallopt")(_MMAP_THRESHOLD, _BYTES)


def give_back() -> None:
    """Frees what only cycles hold, as TensorFlow's graphs do, and gives free blocks to the system.

    The C library keeps them for later: one node's weights and maps would count beside the next
    one's. What heavy imports made is not looked at (`environment.heavy_imports` of the pipeline).
    """
    gc.collect()
    _of_glibc("malloc_trim")(0)


@functools.cache
def _of_glibc(name: str) -> Callable[..., Any]:
    """Returns a function of glibc's; what does nothing where there is another C library."""
    try:
        found: Callable[..., Any] = getattr(ctypes.CDLL(None), name)
    except (AttributeError, OSError):
        return lambda *_: None
    return found
