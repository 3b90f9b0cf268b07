"""Files and folders as a file system lists them."""

from __future__ import annotations

import dataclasses
from typing import Protocol

from serving.names import as_text

__all__ = ["Entry", "Tree", "View", "as_text", "is_visible"]


@dataclasses.dataclass(frozen=True)
class Entry:
    """One file."""

    path: str  # as `open_bytes` takes it
    name: str  # relative to the folder that was asked for, with forward slashes
    size: int  # bytes; 0 for what is not there
    modified: int | str  # nanoseconds since the epoch, or a checksum where there are no times


@dataclasses.dataclass(frozen=True)
class Tree:
    """All below a folder, at any depth. Hidden folders are left out with all they hold."""

    files: list[Entry]
    folders: list[str]  # relative, with forward slashes
    not_utf8: tuple[str, ...] = ()  # those of the folders whose own name is not


class View(Protocol):
    """Looks up the files at and below one place."""

    def names(self, folder: str) -> list[str]:
        """The files and folders right in a folder; none if there is no such folder."""

    def is_folder(self, path: str) -> bool:
        """Whether there is such a folder."""

    def entry(self, path: str) -> Entry | None:
        """The file with this path, named by it; None if there is none."""

    def tree(self, folder: str) -> Tree:
        """All below a folder."""


def is_visible(name: str) -> bool:
    """Whether a file's or folder's name is no hidden one."""
    return not name.startswith((".", "__MACOSX"))
