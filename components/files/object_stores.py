"""The object stores that fsspec reaches: which, by which library, and whether it is installed.

Nothing of fsspec is imported before an address with such a scheme is used. Each library finds its
credentials by itself, in the environment, its own files or the machine's role.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from components.errors import ConfigError
from components.files.paths import is_remote, scheme

_LIBRARIES = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs"}

EXTRAS = {"s3": "s3", "gs": "gs", "az": "azure", "abfs": "azure", "abfss": "azure"}
"""By scheme: the extra of this project that brings its library."""


def installed_schemes() -> list[str]:
    """Returns the schemes whose library is installed."""
    return [name for name, library in _LIBRARIES.items() if importlib.util.find_spec(library)]


def is_installed(path: str) -> bool:
    """Checks whether fsspec reaches this address here."""
    return scheme(path) in installed_schemes()


def reaches(path: str) -> bool:
    """Checks whether files are listed and written without Beam: in folders, and such stores."""
    return not is_remote(path) or is_installed(path)


def not_installed(path: str) -> ConfigError:
    """Returns the error that no file system is installed for an address, with what to install."""
    name = scheme(path)
    own = f"the extra `{EXTRAS[name]}` of this project" if name in EXTRAS else "Beam's extra"
    return ConfigError(
        f"No file system is installed for {name}:// ({path}). Install {own} "
        "for it; Beam's are apache-beam[gcp] for gs:// and apache-beam[aws] for s3://."
    )


def opened(path: str) -> Any:
    """Returns fsspec's file system of an address; it is asked anew each time and keeps no listing.

    fsspec keeps one for each process, so that this is cheap, and safe after a fork.
    """
    fsspec = importlib.import_module("fsspec")  # has no types
    return fsspec.filesystem(scheme(path), use_listings_cache=False)
