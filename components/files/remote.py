"""Files of any other file system: an object store, or what Beam reads."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from components.errors import DataError
from components.files.entries import Entry, Tree, is_of_system, is_visible
from components.files.systems import system_of
from components.files.waiting import attempted
from components.packed import Compressed


def _is_transient(error: Exception) -> bool:
    return not isinstance(error, FileNotFoundError | PermissionError)


class Remote:
    """A place on another file system; all below it is listed once, at the start."""

    def __init__(self, base: str):
        self._system = system_of(base)
        try:
            found = attempted(lambda: list(self._system.below(base.rstrip("/"))), _is_transient)
        except Exception as error:  # each file system raises its own library's errors
            details = getattr(error, "exception_details", None) or {base: error}
            reasons = "; ".join(map(str, details.values()))
            raise DataError(
                f"{base} can't be listed ({reasons}). Check the path and its access."
            ) from error
        self._files = {file.path: file for file in found if not file.path.endswith("/")}

    def names(self, folder: str) -> list[str]:
        return sorted({name.partition("/")[0] for name in self._names_below(folder)})

    def is_folder(self, path: str) -> bool:
        return any(True for _ in self._names_below(path))

    def entry(self, path: str) -> Entry | None:
        return self._entry(path, path) if path in self._files else None

    def tree(self, folder: str) -> Tree:
        folders: set[str] = set()
        system: dict[str, int] = {}
        files = Compressed(Entry, self._entries(folder, folders, system))
        visible = [path for path in folders if all(map(is_visible, path.split("/")))]
        return Tree(files, sorted(visible), system)

    def _entries(self, folder: str, folders: set[str], system: dict[str, int]) -> Iterator[Entry]:
        """Yields the files below a folder, and notes the folders on the way to them."""
        for name in self._names_below(folder):
            above = posixpath.dirname(name)
            if own := _system_folder(above):
                system[own] = system.get(own, 0) + 1
                continue
            if all(map(is_visible, above.split("/"))) or not above:
                yield self._entry(posixpath.join(folder, name), name)
            while above and above not in folders:
                folders.add(above)
                above = posixpath.dirname(above)

    def _names_below(self, folder: str) -> Iterator[str]:
        start = folder.rstrip("/") + "/"
        return (path.removeprefix(start) for path in self._files if path.startswith(start))

    def _entry(self, path: str, name: str) -> Entry:
        file = self._files[path]
        return Entry(path, name, file.size, file.modified or self._system.checksum(path))


def _system_folder(path: str) -> str:
    """Returns the path of the topmost folder that a system made; "" without one."""
    parts = path.split("/")
    return next(
        ("/".join(parts[: at + 1]) for at, name in enumerate(parts) if is_of_system(name)), ""
    )
