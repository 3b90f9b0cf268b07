"""Which versions of distributions are installed here."""

from __future__ import annotations

from importlib import metadata


def version_of(distribution: str) -> str | None:
    """Returns the version of an installed distribution, None where there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
