"""Who published which version: a file of the push directory that no server reads."""

from __future__ import annotations

import json
from pathlib import Path

from serving import durable

_FILE = ".makers.json"  # {number: maker}


def read(model_dir: Path) -> dict[int, str]:
    """Gives the makers by number, as far as they are known."""
    path = model_dir / _FILE
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {int(number): maker for number, maker in found.items()}


def write(model_dir: Path, makers: dict[int, str]) -> None:
    """Keeps these makers, whole or not at all; the caller is the directory's one writer."""
    durable.write(model_dir / _FILE, json.dumps(makers, indent=1))
