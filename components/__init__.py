"""One folder per step of the pipeline, in the order the data flows."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """Vertex AI's steps import an artifact type by a path with one dot: `components.ClassList`."""
    if name[:1].isupper():
        from components.artifacts import types as artifact_types

        return getattr(artifact_types, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
