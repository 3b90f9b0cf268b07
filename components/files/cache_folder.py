"""The project's folder in the user's cache, the one place outside of roots that is written to."""

from __future__ import annotations

import os
import re
from pathlib import Path

from components.files.paths import absolute, is_remote


def cache_dir() -> Path:
    """Returns the project's folder in the user's cache: `$XDG_CACHE_HOME` or `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "transfer-pipeline"


def local_root(place: str) -> Path:
    """Returns the local folder of a root: itself, or a stand-in where it is on another file system.

    Locks, logs and the pages of failed runs are this machine's.
    """
    if is_remote(place):
        name = re.sub(r"[^A-Za-z0-9.-]+", "-", place).strip("-")
        return cache_dir() / "roots" / name
    return Path(absolute(place))
