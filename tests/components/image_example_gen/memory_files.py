"""A file system in memory, `mem://`, that counts how often it is listed. For Beam's registry."""

from __future__ import annotations

import collections
import hashlib
import io
from typing import Any

from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem


class MemoryFiles(FileSystem):
    """An object store: no folders, names with slashes."""

    content: dict[str, bytes] = {}
    times: dict[str, float] = {}
    """Seconds; files without one have a checksum alone."""
    listed: collections.Counter[str] = collections.Counter()
    broken: set[str] = set()
    """Files that can be listed and not be opened."""

    @classmethod
    def clear(cls) -> None:
        for kept in (cls.content, cls.times, cls.listed, cls.broken):
            kept.clear()

    @classmethod
    def scheme(cls) -> str:
        return "mem"

    def has_dirs(self) -> bool:
        return False

    def _list(self, prefix: str) -> Any:
        self.listed[prefix] += 1
        if prefix.startswith("mem://secret"):
            raise PermissionError("who are you")
        for path, content in self.content.items():
            if path.startswith(prefix):
                yield FileMetadata(path, len(content), self.times.get(path, 0.0))

    def open(self, path: str, mime_type: str = "", compression_type: str = "auto") -> Any:
        assert compression_type == "uncompressed"
        if path not in self.content:
            raise BeamIOError(f"no {path}")
        if path in self.broken:
            raise RuntimeError("connection lost")
        return io.BytesIO(self.content[path])

    def create(self, path: str, mime_type: str = "", compression_type: str = "auto") -> Any:
        store = self.content

        class Written(io.BytesIO):
            def close(self) -> None:
                store[path] = self.getvalue()
                super().close()

        return Written()

    def checksum(self, path: str) -> str:
        return hashlib.md5(self.content[path]).hexdigest()

    def exists(self, path: str) -> bool:
        return path in self.content

    def metadata(self, path: str) -> FileMetadata:
        return FileMetadata(path, len(self.content[path]), self.times.get(path, 0.0))

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            del self.content[path]

    join = split = mkdirs = copy = rename = size = last_updated = None  # never asked


class MemoryFolders(MemoryFiles):
    """As Hadoop's: listing a folder gives its direct children, folders as files of no size."""

    @classmethod
    def scheme(cls) -> str:
        return "memfolders"

    def has_dirs(self) -> bool:
        return True

    def _list(self, folder: str) -> Any:
        self.listed[folder] += 1
        if folder in self.content:
            raise BeamIOError(f"{folder} is a file")
        start = folder.rstrip("/") + "/"
        below = {path: path.removeprefix(start) for path in self.content if path.startswith(start)}
        folders = {name.partition("/")[0] for name in below.values() if "/" in name}
        yield from (FileMetadata(start + name, 0, 1.0) for name in folders)
        yield from (
            FileMetadata(path, len(self.content[path]), 1.0)
            for path, name in below.items()
            if "/" not in name
        )
