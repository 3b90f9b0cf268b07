"""Versions in an object store, where servers read them that do not see the push directory.

No store renames a folder in one step. So a version is uploaded under a name that no server reads,
and copied from there, on the store's side, to its number: `saved_model.pb`, without which no server
loads it, comes last.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from tfx.dsl.io import fileio

from components.errors import UserError
from components.files import tfx_plugin
from components.retries import WAITS, retried
from components.step import progress

LAST = "saved_model.pb"


class UploadFailed(UserError):
    """The store does not take a version."""


def upload(version: Path, store: str) -> None:
    """Uploads a version into the folder of its number; one that is there whole stays.

    Args:
      version: the folder of a version of the push directory, named by its number.
      store: the folder of all versions in the store.

    Raises:
      UploadFailed: it can't be written; half of it has no name that a server loads.
    """
    tfx_plugin.register()
    try:
        retried(lambda: _upload(version, store), WAITS, lambda error: isinstance(error, OSError))
    except Exception as error:  # each store raises its own library's errors
        reason = (str(error).strip().splitlines() or [""])[0]
        raise UploadFailed(
            f"push.upload_to: version {version.name} can't be uploaded to {store} "
            f"({type(error).__name__}: {reason}). It is in {version.parent}. Check the address and "
            "its access; the next run uploads it."
        ) from error


def remove(numbers: Iterable[int], store: str) -> None:
    """Removes versions from the store; others may be of another push directory."""
    for folder in (f"{store}/{number}" for number in numbers):
        if fileio.exists(f"{folder}/{LAST}"):
            fileio.remove(f"{folder}/{LAST}")
        if fileio.exists(folder):
            fileio.rmtree(folder)


def _upload(version: Path, store: str) -> None:
    target, aside = f"{store}/{version.name}", f"{store}/uploading-{version.name}"
    if fileio.exists(f"{target}/{LAST}"):
        return
    names = sorted(_files(version), key=lambda name: name == LAST)
    for done, name in enumerate(names, start=1):
        with open(version / name, "rb") as read, fileio.open(f"{aside}/{name}", "wb") as written:
            while part := read.read(16 * 1024 * 1024):
                written.write(part)
        progress.report("files uploaded", done, len(names))
    for name in names:
        fileio.copy(f"{aside}/{name}", f"{target}/{name}", overwrite=True)
    fileio.rmtree(aside)


def _files(version: Path) -> Iterator[str]:
    for folder, _, names in os.walk(version):
        for name in names:
            yield (Path(folder) / name).relative_to(version).as_posix()
