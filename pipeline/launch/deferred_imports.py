"""Keeps `tfx.components` from being imported whole.

One constant that TFX's launcher reads, or one module of one component, imports all of TFX's
components with TFMA, tf.Transform and the Kubernetes client: 2 to 3 s of CPU of a node (measured
2026-11-26; without it for the launcher alone, six nodes' own imports take as much). Its modules are
imported as ever; its own `__init__` runs when a name in it is asked for.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import Any

_PACKAGE = "tfx.components"


class _Deferred(ModuleType):
    """A package whose `__init__` runs at the first name that is not a module imported already."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.__class__ = ModuleType  # type: ignore[assignment]  # once only
        assert self.__spec__ is not None and self.__spec__.loader is not None
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def defer() -> None:
    """Puts the package in its place unloaded, unless it is imported already."""
    if _PACKAGE in sys.modules:
        return
    spec = importlib.util.find_spec(_PACKAGE)
    assert spec is not None
    package = _Deferred(_PACKAGE)
    package.__spec__, package.__path__ = spec, spec.submodule_search_locations or []
    package.__file__, package.__loader__, package.__package__ = spec.origin, spec.loader, _PACKAGE
    sys.modules[_PACKAGE] = package
    sys.modules["tfx"].components = package  # type: ignore[attr-defined]
