"""The option `--version`: the versions of the project and of what decides its results."""

from __future__ import annotations

import platform
from importlib import metadata

NAME = "transfer-pipeline"


def version_of(distribution: str) -> str | None:
    """Returns the version of an installed distribution, None where there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def version_line() -> str:
    """Returns the project's version, its TFX line and its Python, in one line."""
    tfx = version_of("tfx")
    line = f"TFX {tfx}, TensorFlow {version_of('tensorflow')}" if tfx else "client, without TFX"
    own = version_of(NAME) or "not installed"
    return f"{NAME} {own} ({line}, Python {platform.python_version()})"
