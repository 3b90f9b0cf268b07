"""The option `--version`: the versions of the project and of what decides its results."""

from __future__ import annotations

import platform

from components.step.versions import version_of

NAME = "transfer-pipeline"


def version_line() -> str:
    """Returns the project's version, its TFX line and its Python, in one line."""
    tfx = version_of("tfx")
    line = f"TFX {tfx}, TensorFlow {version_of('tensorflow')}" if tfx else "client, without TFX"
    own = version_of(NAME) or "not installed"
    return f"{NAME} {own} ({line}, Python {platform.python_version()})"
