"""Files of any other file system: an object store, or what Beam reads."""

from __future__ import annotations

import itertools
import operator
import posixpath
from collections.abc import Iterator

from components.errors import DataError
from components.files.entries import Entry, Tree, is_of_system, is_visible
from components.files.found import Found
from components.files.systems import system_of
from components.files.waiting import attempted
from components.packed import Compressed, Index, ordered


def _is_transient(error: Exception) -> bool:
    return not isinstance(error, FileNotFoundError | PermissionError)


class Remote:
    """A place on another file system; all below it is listed once, at the start."""

    asked = ()

    def __init__(self, base: str):
        self._system = system_of(base)
        try:
            self._files = Index(attempted(lambda: self._listed(base), _is_transient), _path)
        except Exception as error:  # each file system raises its own library's errors
            details = getattr(error, "exception_details", None) or {base: error}
            reasons = "; ".join(map(str, details.values()))
            raise DataError(
                f"{base} can't be listed ({reasons}). Check the path and its access."
            ) from error

    def _listed(self, base: str) -> Compressed[Found]:
        found = self._system.below(base.rstrip("/"))
        files = ordered(Found, (file for file in found if not file.path.endswith("/")), _path)
        # Beam's file systems with folders may list a file with its folder and by itself.
        once = (next(same) for _, same in itertools.groupby(files, _path))
        return Compressed(Found, once)

    def names(self, folder: str) -> list[str]:
        return sorted({name.partition("/")[0] for name, _ in self._below(folder)})

    def is_folder(self, path: str) -> bool:
        return any(True for _ in self._below(path))

    def entry(self, path: str) -> Entry | None:
        file = self._files.get(path)
        return self._entry(file, path) if file else None

    def tree(self, folder: str) -> Tree:
        folders: set[str] = set()
        system: dict[str, int] = {}
        files = Compressed(Entry, self._entries(folder, folders, system))
        visible = [path for path in folders if all(map(is_visible, path.split("/")))]
        return Tree(files, sorted(visible), system)

    def _entries(self, folder: str, folders: set[str], system: dict[str, int]) -> Iterator[Entry]:
        """Yields the files below a folder, and notes the folders on the way to them."""
        for name, file in self._below(folder):
            above = posixpath.dirname(name)
            if own := _system_folder(above):
                system[own] = system.get(own, 0) + 1
                continue
            if all(map(is_visible, above.split("/"))) or not above:
                yield self._entry(file, name)
            while above and above not in folders:
                folders.add(above)
                above = posixpath.dirname(above)

    def _below(self, folder: str) -> Iterator[tuple[str, Found]]:
        """Yields the files below a folder, each with its name there."""
        start = folder.rstrip("/") + "/"
        below = itertools.takewhile(
            lambda file: file.path.startswith(start), self._files.since(start)
        )
        return ((file.path.removeprefix(start), file) for file in below)

    def _entry(self, file: Found, name: str) -> Entry:
        modified = file.modified or self._system.checksum(file.path)
        return Entry(file.path, name, file.size, modified)


_path = operator.attrgetter("path")


def _system_folder(path: str) -> str:
    """Returns the path of the topmost folder that a system made; "" without one."""
    parts = path.split("/")
    return next(
        ("/".join(parts[: at + 1]) for at, name in enumerate(parts) if is_of_system(name)), ""
    )
