"""Benchmarks: each measures against something else in one run and records what it found."""

import sys
from pathlib import Path

# Scripts, in no package. The tests, whose cluster `workers` starts, have them by pyproject.toml.
sys.path.append(str(Path(__file__).resolve().parents[1] / "tools"))
