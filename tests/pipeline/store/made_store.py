"""A file system of TFX's that is no folder to anybody else: `made://`, kept in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfx.dsl.io import filesystem_registry
from tfx.dsl.io.plugins.local import LocalFilesystem

SCHEME = "made://"


class MadeStore(LocalFilesystem):
    """`made://bucket/x` is `bucket/x` in the folder; it answers while it is not `refuse`d."""

    SUPPORTED_SCHEMES = [SCHEME]
    folder = Path()
    refused: tuple[str, ...] = ()
    """Paths with one of these in them give an error when they are opened."""

    @classmethod
    def keep_in(cls, folder: Path) -> None:
        """Begins anew in this folder."""
        cls.folder, cls.refused = folder, ()
        filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY.register(cls, priority=1)

    @classmethod
    def files(cls) -> set[str]:
        """The rows that it holds."""
        below = cls.folder.rglob("*")
        return {path.relative_to(cls.folder).as_posix() for path in below if path.is_file()}


def _local(path: Any) -> Any:
    if isinstance(path, str) and path.startswith(SCHEME):
        if any(name in path for name in MadeStore.refused):
            raise ConnectionError("the store refuses")
        return str(MadeStore.folder / path.removeprefix(SCHEME))
    return path


def _through(name: str) -> staticmethod[..., Any]:
    method = getattr(LocalFilesystem, name)

    def call(*paths: Any, **options: Any) -> Any:
        return method(*map(_local, paths), **options)

    return staticmethod(call)


def _walk(top: str, **options: Any) -> Iterator[tuple[str, list[str], list[str]]]:
    for folder, folders, files in LocalFilesystem.walk(_local(top), **options):
        yield top + folder.removeprefix(_local(top)), folders, files


for _name in (
    *("open", "copy", "exists", "glob", "isdir", "listdir", "makedirs", "mkdir", "remove"),
    *("rename", "rmtree", "stat"),
):
    setattr(MadeStore, _name, _through(_name))
MadeStore.walk = staticmethod(_walk)  # type: ignore[assignment]
