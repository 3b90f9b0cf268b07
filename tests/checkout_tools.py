"""The modules of `tools/`, which are scripts and in no package."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tools"))

import bootstrap  # noqa: E402
import interpreters  # noqa: E402
import lines  # noqa: E402

__all__ = ["ROOT", "bootstrap", "interpreters", "lines", "own_lock"]


def own_lock() -> Path:
    """Returns the lock of the line and the Python that run these tests."""
    from importlib.metadata import version

    tfx = ".".join(version("tfx").split(".")[:2])
    [line] = [line for line in lines.LINES if line.tfx == tfx]
    python = ".".join(map(str, sys.version_info[:2]))
    return ROOT / "constraints" / f"{line.lock(python)}.txt"
