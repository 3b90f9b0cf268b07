"""Free space: looked at before work starts, and told of where a disk ran full all the same."""

from __future__ import annotations

import dataclasses
import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.errors import UserError
from components.files.paths import is_remote

_FULL = {
    errno.ENOSPC: "it is full",
    errno.EDQUOT: "the quota is used up",
    errno.EFBIG: "the limit of a file's size is reached",
}
_WORDS = (
    "No space left on device",
    "database or disk is full",
    "Disk quota exceeded",
    "File too large",
)
"""Of errors without a number: TensorFlow's, libhdf5's, SQLite's."""


class DiskFull(UserError):
    """A disk has not the space that is needed, or ran full."""


@dataclasses.dataclass(frozen=True)
class Need:
    """The bytes that will be written into a folder."""

    key: str
    """The setting that names the folder."""
    folder: str
    size: int
    """In bytes, about."""


def check(needs: Sequence[Need]) -> None:
    """Checks that every disk has the space that is needed on it.

    Raises:
      DiskFull: one has not.
    """
    by_disk: dict[int, list[Need]] = {}
    for need in needs:
        by_disk.setdefault(os.stat(_existing(need.folder)).st_dev, []).append(need)
    for on_disk in by_disk.values():
        if sum(need.size for need in on_disk) > _free(on_disk[0].folder):
            raise DiskFull(_sentence("Too little space in", on_disk))


def check_space(key: str, folder: str, size: int) -> None:
    """Checks that so many bytes fit on the disk of one folder; a remote one has no limit here.

    Raises:
      DiskFull: they don't.
    """
    if not is_remote(folder):
        check([Need(key, folder, size)])


def reserve(file: Path, size: int) -> None:
    """Takes the room that a file will need, and gives it back: quotas and limits are seen, too.

    For libraries that end the process where a disk runs full, as libhdf5 does (exit code 139).

    Args:
      file: on this machine, in a folder that is there; no such file afterwards.
      size: in bytes.

    Raises:
      OSError: with the file's name; the room is not there.
    """
    if not hasattr(os, "posix_fallocate"):  # macOS
        return
    try:
        with open(file, "wb") as taken:
            os.posix_fallocate(taken.fileno(), 0, size)
    except OSError as error:
        if error.errno in _FULL:  # else a file system that can't tell
            raise OSError(error.errno, error.strerror, str(file)) from None
    finally:
        file.unlink(missing_ok=True)


def size_of(folder: str) -> int:
    """Returns the bytes of all files in a local folder."""
    return sum(
        os.path.getsize(os.path.join(place, name))
        for place, _, names in os.walk(folder)
        for name in names
    )


def full_disk(error: BaseException | None, needs: Sequence[Need]) -> DiskFull | None:
    """Returns the error as a sentence where a full disk is behind it; None where none is.

    Args:
      error: of a step, a library or the metadata store; what caused it counts.
      needs: of the run, one at least. The fullest of their disks is named where the error names
        no file.
    """
    for fault in _behind(error):
        if isinstance(fault, DiskFull):
            return fault
        if _is_full(fault):
            path = getattr(fault, "filename", None)
            fullest = min(needs, key=lambda need: _free(need.folder))
            where = [need for need in needs if _holds(need.folder, path)] or [fullest]
            reason = _FULL.get(getattr(fault, "errno", None) or 0, "it is full")
            start = f"Nothing more can be written ({reason}) to"
            return DiskFull(_sentence(start, where[:1], str(path) if path else None))
    return None


def _sentence(start: str, needs: Sequence[Need], path: str | None = None) -> str:
    folders = " and ".join(need.folder for need in needs)
    keys = ", ".join(need.key for need in needs)
    needed, free = sum(need.size for need in needs), _free(path or needs[0].folder)
    return (
        f"{start} {path or folders}: about {needed:,} bytes are needed, {free:,} are free. Make "
        f"room there, or name a folder on another disk ({keys}); the same command then goes on "
        "from the last finished step."
    )


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(words in str(error) for words in _WORDS)


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _holds(folder: str, path: object) -> bool:
    return isinstance(path, str) and Path(path).is_relative_to(folder)


def _free(folder: str) -> int:
    return shutil.disk_usage(_existing(folder)).free


def _existing(folder: str) -> Path:
    """Returns the folder, or the nearest one above it that is there."""
    path = Path(folder).absolute()
    return next(each for each in (path, *path.parents) if each.exists())
