"""Files on any file system that TFX reaches: object stores, and what a plugin of TFX's registers.

Retries for half a minute what fails: a mount comes back, a store is busy.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import TypeVar

import tensorflow as tf
from tfx.dsl.io import fileio

from components.errors import ConfigError, UserError
from components.files import tfx_plugin
from components.files.object_stores import EXTRAS
from components.retries import WAITS, retried

tfx_plugin.register()

_CHUNK = 16 * 1024 * 1024  # bytes in memory while a file is copied

Result = TypeVar("Result")


class FileSystemUnavailable(UserError):
    """A file system does not answer, or lacks the file."""


def patiently(what: str, action: Callable[[], Result]) -> Result:
    """Returns what `action` returns, and retries it for half a minute.

    Args:
      what: said of it where it fails; with the address.
      action: may be done several times.

    Raises:
      ConfigError: no file system is registered for the scheme.
      FileSystemUnavailable: it failed at the last attempt, too.
    """
    unregistered = tf.errors.UnimplementedError
    try:
        return retried(action, WAITS, lambda error: not isinstance(error, unregistered))
    except unregistered as error:
        raise ConfigError(
            f"{what} failed: no file system is registered for it ({error.message}). Install this "
            f"project's extra for it ({', '.join(sorted(set(EXTRAS.values())))}); TensorFlow "
            "has gs:// itself; others need a plugin of TFX's or TensorFlow's."
        ) from error
    except Exception as error:  # each file system raises its own library's errors
        raise _unavailable(what, error) from error


def _unavailable(what: str, error: Exception) -> FileSystemUnavailable:
    reason = (str(error).strip().splitlines() or [""])[0]
    return FileSystemUnavailable(
        f"{what} failed for {sum(WAITS):.0f} s of attempts: {type(error).__name__}: {reason} "
        "Is the file system mounted, and may this user use it? Nothing was lost: once it answers, "
        "the same command goes on."
    )


def make_folder(folder: str) -> None:
    """Makes a folder where it is missing.

    Raises:
      ConfigError: no file system is registered for its scheme.
      FileSystemUnavailable: it can't be made.
    """
    patiently(f"Making the folder {folder}", lambda: fileio.makedirs(folder))


def read(path: str) -> bytes:
    """Returns a file's content.

    Raises:
      FileSystemUnavailable: it can't be read.
    """

    def content() -> bytes:
        with fileio.open(path, "rb") as file:
            return bytes(file.read())

    return patiently(f"Reading {path}", content)


def write(path: str, content: bytes) -> None:
    """Writes a file, and makes the folder above it. An object store shows whole files only.

    Raises:
      FileSystemUnavailable: it can't be written.
    """
    make_folder(os.path.dirname(path))

    def put() -> None:
        with fileio.open(path, "wb") as file:
            file.write(content)

    patiently(f"Writing {path}", put)


def expect(path: str) -> None:
    """Makes sure that a file or folder is there.

    Raises:
      FileSystemUnavailable: it is not.
    """
    patiently(f"Looking for {path}", lambda: _expect(path))


def _expect(path: str) -> None:
    if not fileio.exists(path):
        raise FileNotFoundError("it is not there.")


def copy_tree(source: str, target: str) -> None:
    """Copies a folder or a file from one file system to another.

    Empty folders are copied, too: an artifact may have no files.

    Raises:
      FileSystemUnavailable: one of the two does not answer; a part may have been copied.
    """
    expect(source)
    if not patiently(f"Looking at {source}", lambda: fileio.isdir(source)):
        make_folder(os.path.dirname(target))
        _copy_file(source, target)
        return
    for folder, names in patiently(f"Listing {source}", lambda: list(_walked(source))):
        make_folder(os.path.join(target, folder))
        for name in names:
            file = os.path.join(folder, name)
            _copy_file(os.path.join(source, file), os.path.join(target, file))


def _walked(source: str) -> Iterator[tuple[str, list[str]]]:
    """Yields each folder, relative to `source`, and the names of its files."""
    for folder, _, names in fileio.walk(source):
        yield folder.removeprefix(source.rstrip("/")).strip("/"), list(names)


def _copy_file(source: str, target: str) -> None:
    def copy() -> None:
        with fileio.open(source, "rb") as read, fileio.open(target, "wb") as written:
            shutil.copyfileobj(read, written, _CHUNK)

    patiently(f"Copying {source} to {target}", copy)
