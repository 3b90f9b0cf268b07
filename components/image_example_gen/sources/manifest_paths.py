"""Where the files of a manifest lie: Windows paths, and names that a file system spells its way."""

from __future__ import annotations

import functools
import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator

from components.errors import DataError
from components.files import view
from components.files.entries import Entry, View
from components.files.paths import is_remote
from serving.names import other_forms, quoted, shown

_DRIVE = re.compile(r"([A-Za-z]:[\\/]|\\\\)")
_TRIED = 10  # rows whose absolute Windows paths are looked for below the manifest's folder


class Located:
    """Turns a manifest's paths into absolute ones of this machine or of a remote store."""

    def __init__(self, texts: Iterable[str], folder: str, manifest: str):
        self._folder = folder
        self._exists = _existence(folder)
        windows = [text for text in texts if _is_windows(text)]
        self._dropped = self._leading(windows)
        if windows and not any(self._exists(self.path(text)) for text in windows):
            raise DataError(
                f"data.source: {shown(manifest)}: {len(windows)} paths are written as on Windows, "
                f"the first {shown(windows[0])}, and none is found below {shown(folder)}. Write "
                "them relative to the manifest, or as paths of this machine, with / between them."
            )

    def path(self, text: str) -> str:
        """Returns the absolute path of a row.

        Raises:
          ValueError: a relative path leaves the manifest's folder.
        """
        if is_remote(text):
            return text
        if _is_windows(text) and not self._exists(posixpath.join(self._folder, text)):
            parts = text.replace("\\", "/")
            text = "/".join(parts.split("/")[self._dropped :]) if _DRIVE.match(text) else parts
        if posixpath.isabs(text):
            return text
        below = posixpath.normpath(text)
        if below.split("/")[0] == "..":
            raise ValueError(
                f"{quoted(text)} leaves the manifest's folder; make it absolute if that is meant"
            )
        return posixpath.join(self._folder, below)

    def _leading(self, windows: list[str]) -> int:
        """Returns how many leading parts of `C:\\data\\a.png` to drop: the rest is below it."""
        for text in [text for text in windows if _DRIVE.match(text)][:_TRIED]:
            parts = text.replace("\\", "/").split("/")
            for dropped in range(1, len(parts)):
                if self._exists(posixpath.join(self._folder, *parts[dropped:])):
                    return dropped
        return 1


def _is_windows(text: str) -> bool:
    return not is_remote(text) and bool("\\" in text or _DRIVE.match(text))


def _existence(folder: str) -> Callable[[str], bool]:
    """Returns a function that looks for a file; a remote folder is listed at its first call."""
    place = functools.cache(lambda: view(folder))
    return lambda path: place().entry(path) is not None


def entry_of(path: str, pictures: View) -> Entry:
    """Returns the file with this path, in any spelling of its name; one of no bytes if none is."""
    found = (pictures.entry(spelled) for spelled in _spellings(path))
    return next((entry for entry in found if entry), Entry(path, path, 0, 0))


def _spellings(path: str) -> Iterator[str]:
    """Yields the path, then with its letters composed, decomposed, and as Windows encodes them."""
    yield path
    if not path.isascii():
        yield from other_forms(path)
        try:
            yield os.fsdecode(path.encode("cp1252"))
        except UnicodeEncodeError:
            return
