"""Which files a source holds, and the fingerprint of their state. Imports nothing heavy."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import os
from pathlib import Path

from components.errors import ConfigError, DataError
from components.features import SPLITS
from serving.pictures import SUFFIXES


@dataclasses.dataclass(frozen=True)
class SourceFile:
    """One picture's file."""

    path: str
    name: str  # relative to the source, with forward slashes
    label: str
    size: int  # bytes
    modified: int  # nanoseconds since the epoch
    split: str | None = None  # where the source itself says so
    group: str | None = None  # likewise: pictures of one group stay in one split


@dataclasses.dataclass(frozen=True)
class Listing:
    """What was found in a source."""

    files: list[SourceFile]  # by name
    classes: list[str]  # sorted
    ignored: int  # files that are hidden, in no class folder, or without a picture's suffix;
    # hidden folders are not entered

    def fingerprint(self) -> str:
        """SHA-256 over every file's name, size and time: any change to the folder changes it."""
        digest = hashlib.sha256()
        for file in self.files:
            digest.update(f"{file.name}\0{file.size}\0{file.modified}\n".encode())
        return digest.hexdigest()


def scan(source: str) -> Listing:
    """Lists `source/<class>/**/*`.

    Raises:
      ConfigError: there is no such folder.
      DataError: no classes, or classes too small to be split.
    """
    root = Path(source).expanduser()
    if not root.is_dir():
        raise ConfigError(
            f"data.source: no folder {source}. "
            "Name a folder that holds one folder of pictures per class."
        )
    folders = sorted(
        entry.name for entry in root.iterdir() if entry.is_dir() and _visible(entry.name)
    )
    files: list[SourceFile] = []
    ignored = sum(1 for entry in root.iterdir() if not entry.is_dir())
    for folder in folders:
        found, others = _class_files(root, folder)
        files.extend(found)
        ignored += others
    classes = sorted(map(_text, folders))
    _check(source, classes, files)
    return Listing(sorted(files, key=lambda file: file.name), classes, ignored)


def _visible(name: str) -> bool:
    return not name.startswith((".", "__MACOSX"))


def _class_files(root: Path, class_folder: str) -> tuple[list[SourceFile], int]:
    files, ignored = [], 0
    for folder, subfolders, names in os.walk(root / class_folder, onerror=_unlisted):
        subfolders[:] = [name for name in subfolders if _visible(name)]
        for name in names:
            path = Path(folder, name)
            if _visible(name) and path.suffix.lower() in SUFFIXES:
                files.append(_source_file(root, path, class_folder))
            else:
                ignored += 1
    return files, ignored


def _source_file(root: Path, path: Path, class_folder: str) -> SourceFile:
    try:
        state = path.stat()
        size, modified = state.st_size, state.st_mtime_ns
    except OSError:  # a broken link: listed, so that reading it puts it among the rejected
        size, modified = 0, 0
    name = _text(path.relative_to(root).as_posix())
    return SourceFile(str(path), name, _text(class_folder), size, modified)


def _text(name: str) -> str:
    """A name as UTF-8 can write it: old archives hold names in other encodings."""
    return name.encode("utf-8", "backslashreplace").decode()


def _unlisted(error: OSError) -> None:
    raise DataError(
        f"data.source: {error.filename} can't be listed ({error.strerror}). "
        "Give this user access to it, or remove it."
    ) from error


def _check(source: str, classes: list[str], files: list[SourceFile]) -> None:
    layout = f"{source}/<class>/<picture> is what is read"
    if not classes:
        raise DataError(f"data.source: {source} has no class folders. {layout}.")
    if len(classes) == 1:
        raise DataError(
            f"data.source: {source} has a single class, {classes[0]!r}; a classifier needs two. "
            f"{layout}."
        )
    if not files:
        suffixes = " ".join(sorted(SUFFIXES))
        raise DataError(f"data.source: {source} holds no pictures. {layout}; suffixes: {suffixes}.")
    counts = collections.Counter(file.label for file in files)
    small = [f"{label} ({counts[label]})" for label in classes if counts[label] < len(SPLITS)]
    if small:
        raise DataError(
            f"data.source: too few pictures in {', '.join(small)}; a class needs at least "
            f"{len(SPLITS)}, one for each of {', '.join(SPLITS)}. "
            "Add pictures or remove the folder."
        )
