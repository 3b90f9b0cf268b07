"""Keeps packages that a node may never need from being imported whole.

TFX's launcher reads one constant of `tfx.components.evaluator`; that alone imports all of TFX's
components with TFMA, tf.Transform and the Kubernetes client: half of the launcher's import. A
deferred package's modules are imported as ever; its own `__init__` runs when a name in it is asked
for.
"""

from __future__ import annotations

import importlib.abc
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_NEEDED_BY_FEW = ("tfx.components",)


class _Deferred(ModuleType):
    """A package whose `__init__` runs at the first name that is not a module imported already."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.__class__ = ModuleType  # type: ignore[assignment]  # once only
        self.__dict__.pop("_own_loader").exec_module(self)
        return getattr(self, name)


class _Loader(importlib.abc.Loader):
    def __init__(self, own: importlib.abc.Loader):
        self._own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Deferred(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["_own_loader"] = self._own


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname in _NEEDED_BY_FEW else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


def defer() -> None:
    """Defers them from now on; what is imported already stays as it is."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
