"""Packs files that every worker of Beam's needs into one, where all of them read it.

A network lies in many files, some of them on the machine that starts the step alone (weights from a
cache folder, the model that is served now). As a parcel it travels once to each worker's process.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import threading
import uuid
import zipfile
from collections.abc import Mapping
from typing import BinaryIO

from components.files.paths import is_remote
from components.files.systems import system_of

_lock = threading.Lock()
_unpacked: dict[str, str] = {}


def pack(places: Mapping[str, str], folder: str) -> str:
    """Packs files and folders of this machine.

    Args:
      places: paths by the names that they get in the parcel.
      folder: where the parcel is written, on any file system; it is there.

    Returns:
      its path, which no other parcel ever has.
    """
    parcel = f"{folder.rstrip('/')}/parcel-{uuid.uuid4().hex}.zip"
    with tempfile.TemporaryFile(prefix="transfer-pipeline-parcel-") as aside:
        # Times before 1980, as of files of reproducible images, become those of that year.
        with zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED, strict_timestamps=False) as content:
            for name, path in places.items():
                content.write(path, name)
                for above, folders, files in os.walk(path):
                    inside = os.path.join(name, os.path.relpath(above, path))
                    for each in (*folders, *files):
                        content.write(os.path.join(above, each), os.path.join(inside, each))
        aside.seek(0)
        if is_remote(parcel):
            system_of(parcel).write(parcel, aside.read())
        else:
            with open(parcel, "wb") as file:
                shutil.copyfileobj(aside, file)
    return parcel


def unpacked(parcel: str) -> str:
    """Returns the folder of this process with the parcel's content, fetched the first time."""
    with _lock:
        if parcel not in _unpacked:
            folder = tempfile.mkdtemp(prefix="transfer-pipeline-parcel-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            with _opened(parcel) as file, zipfile.ZipFile(file) as content:
                content.extractall(folder)
            _unpacked[parcel] = folder
        return _unpacked[parcel]


def remove(parcel: str) -> None:
    """Removes a parcel once no worker needs it any more."""
    if is_remote(parcel):
        system_of(parcel).delete(parcel)
    else:
        os.remove(parcel)


def _opened(path: str) -> BinaryIO:
    return system_of(path).open(path) if is_remote(path) else open(path, "rb")
