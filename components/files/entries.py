"""Files and folders as a file system lists them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from serving.names import as_text

__all__ = ["Entry", "Tree", "View", "as_text", "is_visible"]


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One file."""

    path: str  # as `open_bytes` takes it
    name: str  # relative to the folder that was asked for, with forward slashes
    size: int  # bytes; 0 for what is not there
    modified: int | str  # nanoseconds since the epoch, or a checksum where there are no times

    def as_row(self) -> tuple[str, str, int, int | str]:
        """Returns its values, for `of_row`."""
        return self.path, self.name, self.size, self.modified

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Entry:
        """Returns the entry of a row that `as_row` returned."""
        return cls(*row)


@dataclasses.dataclass(frozen=True)
class Tree:
    """All below a folder, at any depth.

    Hidden folders, and those that systems make for themselves, are left out with all they hold.
    """

    files: Sequence[Entry]
    folders: list[str]  # relative, with forward slashes
    system: dict[str, int] = dataclasses.field(default_factory=dict)
    """The numbers of files in the folders that systems made, by the folder; not in `files`."""
    not_utf8: tuple[str, ...] = ()  # those of the folders whose own name is not
    dead: tuple[str, ...] = ()  # those of the files that are links which lead nowhere


class View(Protocol):
    """Looks up the files at and below one place."""

    @property
    def asked(self) -> Collection[str]:
        """The folders whose entries decided on the answers; none where folders have no times."""

    def names(self, folder: str) -> list[str]:
        """The files and folders right in a folder; none if there is no such folder."""

    def is_folder(self, path: str) -> bool:
        """Checks whether there is such a folder."""

    def entry(self, path: str) -> Entry | None:
        """The file with this path, named by it; None if there is none."""

    def tree(self, folder: str) -> Tree:
        """All below a folder."""


_OF_SYSTEMS = {
    *("@eadir", "@tmp", "@recycle", "@recently-snapshot", "@sharebin", "@__thumb"),
    *("#recycle", "#snapshot", "#synorecycle", "$recycle.bin"),
    *("system volume information", "lost+found", "found.000", "network trash folder"),
    *("temporary items", "_gsdata_", "__pycache__"),
    *(".ipynb_checkpoints", ".thumbnails", ".trash", ".trashes", ".snapshot", ".@__thumb"),
    *(".recycle", ".appledouble", ".spotlight-v100", ".fseventsd"),
}


def is_of_system(name: str) -> bool:
    """Checks whether a NAS, system or program makes folders of this name for itself."""
    return name.lower() in _OF_SYSTEMS or name.startswith(".Trash-")


def is_visible(name: str) -> bool:
    """Checks whether a file's or folder's name is no hidden one."""
    return not name.startswith((".", "__MACOSX"))
