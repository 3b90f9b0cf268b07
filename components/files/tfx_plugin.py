"""Object stores as file systems of TFX's `fileio`, so that a root may lie in one.

An object is seen once it is whole, and not before. A folder is a part of keys; one that is empty is
kept by an object of its own, which no listing shows. There are no renames: one object is copied on
the server, and the old one removed.
"""

from __future__ import annotations

import functools
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from tfx.dsl.io import filesystem, filesystem_registry

from components.files import object_stores
from components.files.paths import scheme

_MARK = ".transfer-pipeline-folder"
_BEFORE_TENSORFLOW = -1  # whose plugin takes s3:// and gs://, for which its wheel has nothing


class ObjectStore(filesystem.Filesystem):
    """Whatever store the scheme of an address names."""

    SUPPORTED_SCHEMES = [f"{name}://" for name in object_stores.EXTRAS]

    @staticmethod
    def open(name: str, mode: str = "r") -> Any:
        store = object_stores.opened(name)
        if "w" not in mode:
            return _found(name, lambda: store.open(name, mode))
        raw = _Upload(lambda path: store.put_file(path, name))
        return raw if "b" in mode else io.TextIOWrapper(raw, encoding="utf-8")

    @staticmethod
    def copy(src: str, dst: str, overwrite: bool = False) -> None:
        store = object_stores.opened(src)
        if not overwrite and store.exists(dst):
            raise OSError(f"{dst} is there already.")
        _found(src, lambda: store.cp_file(src, dst))

    @staticmethod
    def exists(path: str) -> bool:
        return bool(object_stores.opened(path).exists(path))

    @staticmethod
    def glob(pattern: str) -> list[str]:
        start = f"{scheme(pattern)}://"
        found = object_stores.opened(pattern).glob(pattern)
        return [start + name for name in found if os.path.basename(name) != _MARK]

    @staticmethod
    def isdir(path: str) -> bool:
        return bool(object_stores.opened(path).isdir(path))

    @staticmethod
    def listdir(path: str) -> list[str]:
        store = object_stores.opened(path)
        names = _found(path, lambda: [name.rstrip("/") for name in store.ls(path, detail=False)])
        return sorted({os.path.basename(name) for name in names} - {_MARK})

    @staticmethod
    def makedirs(path: str) -> None:
        object_stores.opened(path).pipe_file(f"{path.rstrip('/')}/{_MARK}", b"")

    mkdir = makedirs

    @staticmethod
    def remove(path: str) -> None:
        store = object_stores.opened(path)
        if not store.isfile(path):
            raise filesystem.NotFoundError(path)
        store.rm_file(path)

    @staticmethod
    def rename(src: str, dst: str, overwrite: bool = False) -> None:
        ObjectStore.copy(src, dst, overwrite)
        object_stores.opened(src).rm_file(src)

    @staticmethod
    def rmtree(path: str) -> None:
        store = object_stores.opened(path)
        names = store.find(path)
        if not names:
            raise filesystem.NotFoundError(path)
        store.rm(names)

    @staticmethod
    def stat(path: str) -> Any:
        return _found(path, lambda: object_stores.opened(path).info(path))

    @staticmethod
    def walk(
        top: str, topdown: bool = True, onerror: Callable[..., None] | None = None
    ) -> Iterator[tuple[str, list[str], list[str]]]:
        """Yields as `os.walk` does, from one listing of all keys."""
        start, root = f"{scheme(top)}://", top.rstrip("/")
        folders: dict[str, tuple[set[str], list[str]]] = {root: (set(), [])}
        for name in object_stores.opened(top).find(top):
            folder, _, last = (start + name).rpartition("/")
            if last != _MARK:
                folders.setdefault(folder, (set(), []))[1].append(last)
            while folder != root and folder.startswith(f"{root}/"):
                folders.setdefault(folder, (set(), []))
                above, _, last = folder.rpartition("/")
                folders.setdefault(above, (set(), []))[0].add(last)
                folder = above
        for folder in sorted(folders, reverse=not topdown):
            below, files = folders[folder]
            yield folder, sorted(below), sorted(files)


def _found(path: str, action: Callable[[], Any]) -> Any:
    try:
        return action()
    except FileNotFoundError as error:
        raise filesystem.NotFoundError(f"{path}: {error}") from error


class _Upload(io.FileIO):
    """A file on this machine, which is uploaded when it is closed; not after an exception."""

    def __init__(self, send: Callable[[str], None]):
        handle, self._path = tempfile.mkstemp(prefix="transfer-pipeline-upload-")
        self._send: Callable[[str], None] | None = send
        super().__init__(handle, "r+")

    def close(self) -> None:
        if self.closed:
            return
        super().close()
        send, self._send = self._send, None
        try:
            if send:
                send(self._path)
        finally:
            os.remove(self._path)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind:
            self._send = None
        self.close()

    def __del__(self) -> None:
        self._send = None  # it was left open, and so is not known to be whole
        self.close()


@functools.cache
def register() -> None:
    """Makes TFX use the object stores whose libraries are installed, once per process."""
    ObjectStore.SUPPORTED_SCHEMES = [f"{name}://" for name in object_stores.installed_schemes()]
    registry = filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY
    registry.register(ObjectStore, priority=_BEFORE_TENSORFLOW)
