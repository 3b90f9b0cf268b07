"""Where pictures come from: bytes, paths or open files, all made canonical."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from serving.client.errors import PictureRefused
from serving.pictures import PictureError, canonical

Source = bytes | Path | BinaryIO


@dataclass(frozen=True)
class Ready:
    """A picture that can be sent, and what the caller calls it."""

    file: str
    encoded: bytes


def prepare(source: Source, position: int) -> Ready | PictureRefused:
    """Reads one source and makes it canonical; a refusal is returned, not raised.

    Args:
        source: where the picture is.
        position: counted from 0; names a source that has no name of its own.

    Raises:
        TypeError: `source` is none of what it may be.
    """
    file = _name(source, position)
    try:
        return Ready(file, canonical(_read(source, file)).encoded)
    except PictureError as error:
        return PictureRefused(file, str(error))
    except OSError as error:
        return PictureRefused(file, error.strerror or str(error))


def _name(source: Source, position: int) -> str:
    if isinstance(source, Path):
        return str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else f"picture {position + 1}"


def _read(source: object, file: str) -> bytes:
    if isinstance(source, str) and urlsplit(source).netloc:
        raise TypeError(f"{source} is not fetched: download it, then pass its pathlib.Path")
    data: object = source
    if isinstance(source, Path):
        data = source.read_bytes()
    elif hasattr(source, "read"):
        data = source.read()
    if not isinstance(data, bytes):
        raise TypeError(
            f"{file} is a {type(source).__name__} that gives {type(data).__name__}:"
            " pass bytes, a pathlib.Path, or a file opened in binary mode"
        )
    return data
