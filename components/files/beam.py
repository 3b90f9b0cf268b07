"""Beam's file systems: gs://, s3://, hdfs:// and what else is installed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from components.files import object_stores
from components.files.found import Found


class BeamFiles:
    """The files of one scheme."""

    def __init__(self, path: str):
        """Finds Beam's file system for a path.

        Raises:
          ConfigError: none is installed.
        """
        try:
            self._system = FileSystems.get_filesystem(path)
        except ValueError as error:
            raise object_stores.not_installed(path) from error

    def below(self, folder: str) -> Iterator[Found]:
        """All files below, also where listing a folder gives its direct children only (HDFS).

        Beam does not distinguish files from folders; folders have no size.
        """
        for file in self._system.match([f"{folder}/**"])[0].metadata_list:
            children = self._children(file) if self._system.has_dirs() else []
            modified = round(file.last_updated_in_seconds * 1e9)
            yield from children or [Found(file.path, file.size_in_bytes, modified)]

    def _children(self, file: Any) -> list[Found]:
        if file.size_in_bytes:
            return []
        with contextlib.suppress(OSError):  # an empty file can't be listed
            return list(self.below(file.path))
        return []

    def checksum(self, path: str) -> str:
        return str(self._system.checksum(path))

    def open(self, path: str) -> BinaryIO:
        return cast(
            BinaryIO, self._system.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
        )

    def read(self, path: str) -> bytes:
        with self.open(path) as file:
            return file.read()

    def write(self, path: str, content: bytes) -> None:
        with self._system.create(path) as file:
            file.write(content)

    def delete(self, path: str) -> None:
        self._system.delete([path])

    def exists(self, path: str) -> bool:
        return bool(self._system.exists(path))
