"""Where pictures lie: local paths by `os`, anything with `scheme://` by fsspec or Beam.

Either is imported for the latter alone.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from components.errors import DataError
from components.files.entries import View
from components.files.local import Local
from components.files.paths import is_remote
from serving import atomic_files


def view(base: str) -> View:
    """Returns the view of paths at and below `base`. Lists a remote one, once.

    Raises:
      ConfigError: no file system is installed for the scheme.
      DataError: a remote place can't be listed.
    """
    if not is_remote(base):
        return Local()
    from components.files.remote import Remote

    return Remote(base)


def open_bytes(path: str) -> BinaryIO:
    """Opens a file as it is, also a compressed one, for reading and seeking.

    Raises:
      OSError: it can't be opened.
    """
    if not is_remote(path):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)  # a pipe would be waited for
        return open(path, "rb")
    from components.files.systems import system_of

    with _os_errors(path):
        return system_of(path).open(path)


@contextlib.contextmanager
def reading(path: str, *own: type[Exception]) -> Iterator[BinaryIO]:
    """Opens a file as `open_bytes` does, and closes it at the end.

    Args:
      path: the file's.
      own: what the reader itself raises; that is none of the file system's errors.

    Raises:
      OSError: it can't be opened or read.
    """
    with _os_errors(path, *own), open_bytes(path) as file:
        yield file


def read_bytes(path: str) -> bytes:
    """Returns a file's content.

    Raises:
      OSError: it can't be read.
    """
    if not is_remote(path):
        with open_bytes(path) as local:
            return local.read()
    from components.files.systems import system_of

    with _os_errors(path):
        return system_of(path).read(path)


def exists(path: str) -> bool:
    """Checks whether there is such a file.

    Raises:
      OSError: it can't be told.
    """
    if not is_remote(path):
        return os.path.exists(path)
    from components.files.systems import system_of

    with _os_errors(path):
        return system_of(path).exists(path)


def write_bytes(path: str, content: bytes) -> None:
    """Writes a whole file, and the folders above it; no process sees half of a local one.

    Raises:
      OSError: it can't be written.
    """
    if is_remote(path):
        from components.files.systems import system_of

        with _os_errors(path):
            system_of(path).write(path, content)
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    atomic_files.write_bytes(target, content)


def keep_newest(folder: str, most: int, suffix: str = "") -> None:
    """Removes the oldest files below a folder where there are more than `most` with this suffix.

    Leaves them where their age is not known, or where they can't be listed or removed.
    """
    with contextlib.suppress(OSError, DataError):
        files = view(folder).tree(folder).files
        known = [
            (file.modified, file.path)
            for file in files
            if isinstance(file.modified, int) and file.path.endswith(suffix)
        ]
        for _, path in sorted(known)[: max(0, len(known) - most)]:
            _remove(path)


def _remove(path: str) -> None:
    if not is_remote(path):
        os.remove(path)
        return
    from components.files.systems import system_of

    with _os_errors(path):
        system_of(path).delete(path)


@contextlib.contextmanager
def _os_errors(path: str, *own: type[Exception]) -> Iterator[None]:
    try:
        yield
    except OSError:
        raise
    except Exception as error:  # each file system raises its own library's errors
        if isinstance(error, own):
            raise
        raise OSError(f"{path}: {error}") from error
