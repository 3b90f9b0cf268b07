"""Where pictures come from: bytes, paths or open files, all made canonical."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from serving.client.errors import PictureRefused
from serving.picture_files import read_picture
from serving.picture_settings import DEFAULT, PictureSettings
from serving.pictures import MAX_PIXELS, PictureError, canonical


class Readable(Protocol):
    """A file opened in binary mode, or what else returns a picture's bytes."""

    def read(self) -> bytes: ...


Source = bytes | Path | Readable


@dataclass(frozen=True)
class Ready:
    """A picture that can be sent, and what the caller calls it."""

    file: str
    encoded: bytes
    settings: PictureSettings = DEFAULT
    """Those of the model that it is for, as far as they are known."""
    source: bytes = field(default=b"", repr=False, compare=False)
    """The file's bytes, of which `encoded` was made."""

    def for_model(self, settings: PictureSettings) -> Ready:
        """Returns the picture as a model with these settings takes it; itself if it is so."""
        if settings == self.settings or not self.source:
            return self
        return _ready(self.file, self.source, settings)


def prepare(
    source: Source, position: int, settings: PictureSettings = DEFAULT
) -> Ready | PictureRefused:
    """Reads one source and makes it canonical; a refusal is returned, not raised.

    Args:
        source: where the picture is.
        position: counted from 0; names a source that has no name of its own.
        settings: of the model that is asked, as far as they are known.

    Raises:
        TypeError: `source` is none of what it may be.
    """
    file = _name(source, position)
    try:
        return _ready(file, _read(source, file), settings)
    except PictureError as error:
        return PictureRefused(file, str(error))
    except OSError as error:
        return PictureRefused(file, error.strerror or str(error))


def _ready(file: str, data: bytes, settings: PictureSettings) -> Ready:
    return Ready(file, canonical(data, settings=settings).encoded, settings, data)


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
        with source.open("rb") as opened:
            data = read_picture(opened, MAX_PIXELS)
    elif hasattr(source, "read"):
        data = source.read()
    if not isinstance(data, bytes):
        raise TypeError(
            f"{file} is a {type(source).__name__} that gives {type(data).__name__}:"
            " pass bytes, a pathlib.Path, or a file opened in binary mode"
        )
    return data
