"""A JSON value in a compressed file of an artifact's folder: the same bytes for the same value."""

from __future__ import annotations

import gzip
import json
import posixpath
from collections.abc import Iterable
from typing import Any


def packed(value: Any) -> bytes:
    """Returns the file's content."""
    return gzip.compress(json.dumps(value).encode(), mtime=0)


def unpacked(content: bytes) -> Any:
    """Returns the value in a file's content."""
    return json.loads(gzip.decompress(content))


def write(folder: str, name: str, value: Any) -> None:
    """Writes the file, and the folder where it is missing."""
    from tfx.dsl.io import fileio  # the command `check` reads such files without TFX

    fileio.makedirs(folder)
    with fileio.open(posixpath.join(folder, name), "wb") as file:
        file.write(packed(value))


def write_list(folder: str, name: str, values: Iterable[Any]) -> None:
    """Writes a file that `read` returns as a list; no more than one value is held at a time."""
    from tfx.dsl.io import fileio

    fileio.makedirs(folder)
    with (
        fileio.open(posixpath.join(folder, name), "wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as content,
    ):
        content.write(b"[")
        for number, value in enumerate(values):
            content.write(f"{', ' if number else ''}{json.dumps(value)}".encode())
        content.write(b"]")


def read(folder: str, name: str) -> Any | None:
    """Returns the value; None where there is no such file."""
    from tfx.dsl.io import fileio

    path = posixpath.join(folder, name)
    if not fileio.exists(path):
        return None
    with fileio.open(path, "rb") as file:
        return unpacked(file.read())
