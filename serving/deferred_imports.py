"""Keeps parts of libraries from being imported whole where a library imports them for nobody.

Their modules are imported as ever; a package's own `__init__` runs when a name in it is asked for
that is none of its modules.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

TENSORFLOW = (
    *("keras.visualization", "keras._tf_keras.keras.visualization", "keras.src.visualization"),
    *("keras.wrappers", "keras._tf_keras.keras.wrappers"),
    *("IPython", "googleapiclient.discovery"),
)
"""Imports of TensorFlow and Keras for drawings, notebooks and machines of Google's cloud. Keras'
part alone, with Matplotlib, scikit-learn and SciPy, is 1 s of CPU of every process that imports
TensorFlow (measured 2026-11-27). A version of theirs need not have all of them."""


def defer(*packages: str) -> None:
    """Defers packages that are not imported yet, for the rest of the process."""
    if _FINDER not in sys.meta_path:
        sys.meta_path.insert(0, _FINDER)
    _FINDER.deferred.update(packages)


@contextlib.contextmanager
def without(package: str) -> Iterator[None]:
    """Lets what is imported inside the block do without a package that it can do without.

    TensorFlow imports Keras to register what models may hold, which no session asks for: 0.5 s of
    CPU or more (measured 2026-11-28). Afterwards the package can be imported as ever. For the
    start of a program: threads that import it meanwhile fail.
    """
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the deferred packages, as Python itself does, and puts off their execution."""

    def __init__(self) -> None:
        self.deferred: set[str] = set()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.deferred:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Later(spec.loader)
        return spec


_FINDER = _Finder()


class _Later(importlib.abc.Loader):
    """Makes a module that executes itself later, by its own loader."""

    def __init__(self, own: importlib.abc.Loader):
        self.own = own

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Deferred(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)  # such as what reads files of the package


class _Deferred(ModuleType):
    """A module that executes itself at the first name that is none of its own modules."""

    def __init__(self, name: str):
        super().__init__(name)
        self.__lock = threading.RLock()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        if "__path__" in vars(self):  # a package
            below = f"{self.__name__}.{name}"
            if importlib.util.find_spec(below):
                return importlib.import_module(below)
        with self.__lock:  # another thread waits until all names are there
            assert self.__spec__ is not None
            if isinstance(self.__spec__.loader, _Later):  # else it runs, or has run
                self.__loader__ = self.__spec__.loader = self.__spec__.loader.own
                self.__loader__.exec_module(self)
                self.__class__ = ModuleType  # type: ignore[assignment]
        return ModuleType.__getattribute__(self, name)
