"""The pictures that `classify` is given: files and folders, here or in an object store."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath, PurePosixPath

from components.errors import UserError
from components.files.entries import is_of_system
from components.files.paths import is_remote
from serving.names import shown
from serving.picture_formats import SUFFIXES, UNREAD


class Stored:
    """A picture in an object store, which a client reads as it does an open file."""

    def __init__(self, address: str):
        self.name = address

    def __str__(self) -> str:
        return self.name

    def read(self) -> bytes:
        """Returns the picture's bytes, after a look at its header where it is large.

        Raises:
          OSError: it can't be read.
          PictureError: it is no picture, or one of too many pixels.
        """
        from components.files.pictures import read_picture
        from serving.pictures import MAX_PIXELS

        return read_picture(self.name, MAX_PIXELS)


Picture = Path | Stored

Folders = tuple[str, ...]
"""Names of the folders that may tell a picture's class, the outermost first."""

ByPicture = Mapping[Picture, Folders]
"""The folders of each picture, in the order in which the pictures are asked about."""


def named_pictures(images: Sequence[str | Path]) -> Iterator[tuple[Picture, Folders]]:
    """Yields files as they are named; of folders all files that are named as pictures, by name.

    With each the names of the folders that may tell its class, from the named one on; none for a
    file that was named itself.

    Raises:
      UserError: a folder has no pictures, or a store can't be listed.
    """
    for image in map(str, images):
        if is_remote(image):
            yield from _stored(image.rstrip("/"))
        elif (folder := Path(image)).is_dir():
            inside = [path.relative_to(folder) for path in folder.rglob("*") if _is_file(path)]
            named = folder.absolute().name
            for path in _pictures(inside, image):
                yield folder / path, (named, *path.parts[:-1])
        else:
            yield folder, ()


def _is_file(path: Path) -> bool:
    """Checks whether a path is a file; one that leads nowhere is told when it is read."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def _stored(address: str) -> Iterator[tuple[Picture, Folders]]:
    from components import files

    place = files.view(address)
    if not place.is_folder(address):
        yield Stored(address), ()
        return
    inside = [PurePosixPath(file.name) for file in place.tree(address).files]
    for path in _pictures(inside, address):
        yield Stored(f"{address}/{path}"), (PurePosixPath(address).name, *path.parts[:-1])


def _pictures(inside: Iterable[PurePath], folder: str) -> list[PurePath]:
    visible = [
        path
        for path in inside
        if not any(part[0] == "." or is_of_system(part) for part in path.parts)
    ]
    found = sorted(path for path in visible if path.suffix.lower() in SUFFIXES)
    others = Counter(path.suffix.lower() for path in visible if path.suffix.lower() in UNREAD)
    if others:
        counted = ", ".join(f"{others[name]} {name} ({UNREAD[name]})" for name in others)
        print(f"{shown(folder)}: not read are {counted}", file=sys.stderr)
    if not found:
        raise UserError(
            f"{shown(folder)} has no pictures: files named {', '.join(sorted(SUFFIXES))}. Name "
            "a folder that has."
        )
    return found
