"""Local files and folders, by `os`."""

from __future__ import annotations

import dataclasses
import os

from components.errors import DataError
from components.files.entries import Entry, Tree, as_text, is_of_system, is_visible


class Local:
    """The local file system; nothing is listed before it is asked for."""

    def names(self, folder: str) -> list[str]:
        return os.listdir(folder) if os.path.isdir(folder) else []

    def is_folder(self, path: str) -> bool:
        return os.path.isdir(path)

    def entry(self, path: str) -> Entry | None:
        try:
            state = os.stat(path)
        except OSError:
            return None
        return Entry(path, as_text(path), state.st_size, state.st_mtime_ns)

    def tree(self, folder: str) -> Tree:
        tree = Tree([], [])
        odd: list[str] = []
        self._walk(folder, "", tree, odd, frozenset())
        return dataclasses.replace(tree, not_utf8=tuple(odd))

    def _walk(
        self, folder: str, name: str, tree: Tree, odd: list[str], above: frozenset[str]
    ) -> None:
        """Follows links, but none that leads back to a folder above it."""
        here = os.path.realpath(folder)
        if here in above:
            return
        for item in _listed(folder):
            below = f"{name}{as_text(item.name)}"
            if not _is_folder(item):
                tree.files.append(_local_entry(item, below))
            elif is_of_system(item.name):
                tree.system[below] = sum(len(files) for _, _, files in os.walk(item.path))
            elif is_visible(item.name):
                tree.folders.append(below)
                if as_text(item.name) != item.name:
                    odd.append(below)
                self._walk(item.path, f"{below}/", tree, odd, above | {here})


def _listed(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as items:
            return list(items)
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


def _local_entry(item: os.DirEntry[str], name: str) -> Entry:
    try:
        state = item.stat()
    except OSError:  # a broken link: listed, so that reading it puts it among the rejected
        return Entry(item.path, name, 0, 0)
    return Entry(item.path, name, state.st_size, state.st_mtime_ns)
