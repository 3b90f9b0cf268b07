"""The public Python surface: `from pipeline import load, run`. docs/python.md shows each name.

Importing the package imports nothing else: a name is looked up when it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.errors import UserError
    from pipeline.api import check, create_pipeline, load, run, runs
    from pipeline.config import Config

__all__ = ["Config", "UserError", "check", "create_pipeline", "load", "run", "runs"]

_ELSEWHERE = {"Config": "pipeline.config", "UserError": "components.errors"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_ELSEWHERE.get(name, "pipeline.api")), name)
