"""Copies and renames folders so that a power cut leaves either all of it or nothing."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import uuid
from pathlib import Path

INCOMING = ".incoming-"
"""Prefix of the names of unfinished copies; those that a dead writer has left are to be removed."""


def copy_tree(source: Path, target: Path) -> None:
    """Copies a folder; on return all of it is on disk, and `target` is as young as the copy.

    Whoever may read the folder around `target` may read the copy, whatever the umask is.
    """
    shutil.copytree(source, target, copy_function=_copy_file)
    os.utime(target)
    mode = stat.S_IMODE(target.parent.stat().st_mode) & 0o777
    for folder, _, files in os.walk(target):
        for name in files:
            os.chmod(Path(folder, name), mode & 0o666)
        os.chmod(folder, mode)
        _sync(Path(folder))


def make_folder(path: Path) -> None:
    """Makes a folder, and those around it that are missing.

    Those who can read the folder around it can read it, even with a umask of 077, which would close
    it to a server that another user runs.
    """
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    path.chmod(stat.S_IMODE(path.stat().st_mode) | (path.parent.stat().st_mode & 0o755))


def rename(source: Path, target: Path) -> None:
    """Renames within one file system; on return the new name is on disk."""
    source.rename(target)
    _sync(target.parent)


def put_aside(path: Path, ending: str) -> Path:
    """Renames what is in the way to the first free name with this ending, and returns that."""
    free = aside(path, ending)
    rename(path, free)
    return free


def aside(path: Path, ending: str) -> Path:
    """Returns the first free name with this ending."""
    names = itertools.chain([ending], (f"{ending}-{number}" for number in itertools.count(2)))
    return next(each for name in names if not os.path.lexists(each := Path(f"{path}{name}")))


def write(path: Path, text: str) -> None:
    """Writes a text as `write_bytes` does."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a small file; a reader finds the old content or the new one at any moment.

    Whoever may read the folder around it may read it. Of a symbolic link, the file that it names is
    written.
    """
    path = path.resolve()
    passing = path.with_name(f"{INCOMING}{uuid.uuid4().hex}")
    try:
        passing.write_bytes(content)
        passing.chmod(stat.S_IMODE(path.parent.stat().st_mode) & 0o666)
        _sync(passing)
        rename(passing, path)
    except BaseException:
        passing.unlink(missing_ok=True)
        raise


def remove(path: Path) -> None:
    """Removes a folder or file, or as much of it as can be removed now; a missing one is fine."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _copy_file(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    _sync(Path(target))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
