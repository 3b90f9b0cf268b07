"""Files that the steps' own code writes and reads on Beam's workers, on any file system.

Object stores are reached by fsspec, where its library is installed: Beam's own file system for S3
makes a client anew for each file, half a second of work. All others are Beam's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, cast

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.files import object_stores

if TYPE_CHECKING:
    from components.files.tfx_plugin import ObjectStore

_RAW = CompressionTypes.UNCOMPRESSED


def create(path: str) -> BinaryIO:
    """Opens a new file, which is written as it is; in a store it is seen once it is closed."""
    if object_stores.is_installed(path):
        return cast(BinaryIO, _store().open(path, "wb"))
    return cast(BinaryIO, FileSystems.create(path, compression_type=_RAW))


def opened(path: str) -> BinaryIO:
    """Opens a file for reading as it is."""
    if object_stores.is_installed(path):
        return cast(BinaryIO, _store().open(path, "rb"))
    return cast(BinaryIO, FileSystems.open(path, compression_type=_RAW))


def make_folder(path: str) -> None:
    """Makes a folder; one that is there stays."""
    if object_stores.is_installed(path):
        _store().makedirs(path)
    elif not FileSystems.exists(path):
        FileSystems.mkdirs(path)


def move(path: str, target: str) -> None:
    """Renames a file; what has that name, as after an earlier attempt, is replaced."""
    if object_stores.is_installed(path):
        _store().rename(path, target, overwrite=True)
        return
    if FileSystems.exists(target):
        FileSystems.delete([target])
    FileSystems.rename([path], [target])


def _store() -> type[ObjectStore]:
    from components.files.tfx_plugin import ObjectStore  # imports TFX, which others need not

    return ObjectStore
