"""What nothing or a cycle alone holds any more is freed, and its blocks go back to the system."""

from __future__ import annotations

import subprocess
import sys
import weakref

import pytest

from components.step import memory

RESIDENT = """
from pathlib import Path

from components.step import memory

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
"""

SCRIPT = """
blocks = [bytes(1000) for _ in range(200_000)]
held, last = resident(), blocks[-1]
del blocks
if {give_back}:
    memory.give_back()
print(held - resident())
"""

LARGE = """
if {mapped}:
    memory.map_large_blocks()
first = b"1" * 20_000_000
del first  # glibc keeps blocks of this size from now on
blocks = [b"1" * 1_000_000 for _ in range(200)]
held, last = resident(), blocks[-1]
del blocks
print(held - resident())
"""


class _Ring:
    def __init__(self) -> None:
        self.itself = self


def test_a_cycle_is_freed() -> None:
    gone = weakref.ref(_Ring())
    memory.give_back()
    assert gone() is None


def test_free_blocks_below_one_that_is_held_go_back_to_the_system() -> None:
    assert _freed(SCRIPT.format(give_back=True)) > 150_000  # the last block lies above all others
    assert _freed(SCRIPT.format(give_back=False)) < 50_000


def test_large_blocks_go_back_to_the_system_once_they_are_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _freed(LARGE.format(mapped=True)) > 150_000
    assert _freed(LARGE.format(mapped=False)) < 50_000
    monkeypatch.setenv("MALLOC_MMAP_THRESHOLD_", str(2**25))  # what the user set stays
    assert _freed(LARGE.format(mapped=True)) < 50_000


def _freed(script: str) -> int:
    """Returns the kB of 200,000 that a process gave back."""
    done = subprocess.run(
        [sys.executable, "-c", RESIDENT + script], capture_output=True, check=True
    )
    return int(done.stdout)
