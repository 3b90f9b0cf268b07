"""Local files and folders, by `os`."""

from __future__ import annotations

import os
from collections.abc import Iterator

from components.errors import DataError
from components.files.entries import Entry, Tree, as_text, is_of_system, is_visible
from components.packed import Compressed

_ALL_READ = 0o444
_EFFECTIVE = os.access in os.supports_effective_ids


class Local:
    """The local file system; nothing is listed before it is asked for."""

    def __init__(self) -> None:
        self.asked: dict[str, None] = {}  # in order, each once

    def names(self, folder: str) -> list[str]:
        return os.listdir(folder) if self.is_folder(folder) else []

    def is_folder(self, path: str) -> bool:
        found = os.path.isdir(path)
        self.asked[path if found else os.path.dirname(path)] = None
        return found

    def entry(self, path: str) -> Entry | None:
        self.asked[os.path.dirname(path)] = None
        try:
            state = os.stat(path)
        except OSError:
            return None
        return Entry(path, as_text(path), state.st_size, _modified(path, state))

    def tree(self, folder: str) -> Tree:
        walk = _Walk(self.asked)
        files = Compressed(Entry, walk.files(folder, "", frozenset()))
        return Tree(files, walk.folders, walk.system, tuple(walk.odd), tuple(walk.dead))


class _Walk:
    """Yields the files below a folder, and keeps what else is met on the way."""

    def __init__(self, read: dict[str, None]) -> None:
        self.read = read  # the paths of folders
        self.folders: list[str] = []
        self.system: dict[str, int] = {}
        self.odd: list[str] = []
        self.dead: list[str] = []

    def files(self, folder: str, name: str, above: frozenset[str]) -> Iterator[Entry]:
        """Yields the files below a folder. Follows links, but none back to a folder above it."""
        here = os.path.realpath(folder)
        if here in above:
            return
        self.read[folder] = None
        for item in _listed(folder):
            below = f"{name}{as_text(item.name)}"
            if not _is_folder(item):
                entry = _local_entry(item, below)
                if entry is None:  # listed, so that reading it puts it among the rejected
                    self.dead.append(below)
                yield entry or Entry(item.path, below, 0, 0)
            elif is_of_system(item.name):
                self.system[below] = sum(len(files) for _, _, files in os.walk(item.path))
            elif is_visible(item.name):
                self.folders.append(below)
                if as_text(item.name) != item.name:
                    self.odd.append(below)
                yield from self.files(item.path, f"{below}/", above | {here})


def _listed(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            yield from items
    except OSError as error:
        raise DataError(
            f"{as_text(folder)} can't be listed ({error.strerror}). "
            "Give this user access to it, or remove it."
        ) from error


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:  # a link to itself
        return False


def _local_entry(item: os.DirEntry[str], name: str) -> Entry | None:
    try:
        state = item.stat()
    except OSError:  # a broken link
        return None
    return Entry(item.path, name, state.st_size, _modified(item.path, state))


def _modified(path: str, state: os.stat_result) -> int:
    """Returns when a file was changed; 0 while this user can't read it: then it is another one."""
    if state.st_mode & _ALL_READ == _ALL_READ or os.access(path, os.R_OK, effective_ids=_EFFECTIVE):
        return state.st_mtime_ns
    return 0
