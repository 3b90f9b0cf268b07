"""The modules of `tools/`, on pytest's path by pyproject.toml, and what they say of these tests."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import bootstrap
import cluster
import interpreters
import lines

ROOT = Path(__file__).resolve().parents[1]

__all__ = ["ROOT", "bootstrap", "cluster", "interpreters", "lines", "own_lock"]


def own_lock() -> Path:
    """Returns the lock of the line and the Python that run these tests."""
    tfx = ".".join(version("tfx").split(".")[:2])
    [line] = [line for line in lines.LINES if line.tfx == tfx]
    python = ".".join(map(str, sys.version_info[:2]))
    return ROOT / "constraints" / f"{line.lock(python)}.txt"
