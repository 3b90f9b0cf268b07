"""What nothing or a cycle alone holds any more is freed, and its blocks go back to the system."""

from __future__ import annotations

import subprocess
import sys
import weakref

from components.step import memory

SCRIPT = """
from pathlib import Path

from components.step import memory

def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

blocks = [bytes(1000) for _ in range(200_000)]
held, last = resident(), blocks[-1]
del blocks
if {give_back}:
    memory.give_back()
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
    def freed(give_back: bool) -> int:
        script = SCRIPT.format(give_back=give_back)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
        return int(done.stdout)

    assert freed(True) > 150_000  # kB of 200,000; the last block lies above all others
    assert freed(False) < 50_000
