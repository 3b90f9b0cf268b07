"""Paths and addresses: which file system they name, and how any process sees them."""

from __future__ import annotations

from pathlib import Path

IN_ROOT = "uri_in_root"
"""A property of artifacts whose node works on local copies: where they lie for everyone else."""

_SCHEME_END = "://"


def is_remote(path: str) -> bool:
    """Checks whether a path has a scheme, as gs://, and is no path of this machine's."""
    return _SCHEME_END in path


def scheme(path: str) -> str:
    """Returns `gs` of gs://bucket/folder; "" of a path of this machine."""
    return path.partition(_SCHEME_END)[0] if is_remote(path) else ""


def absolute(path: str) -> str:
    """Returns the path as any process sees it; `~` is the home folder."""
    return path if is_remote(path) else str(Path(path).expanduser().absolute())
