"""Free space: looked at before work starts, and told of where no more could be written after all.

Three limits end a write: the disk is full, the user's quota is used up, or the file may not grow.
Each is mended in another way, so that each is told in its own words.
"""

from __future__ import annotations

import dataclasses
import errno
import os
import re
import resource
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.errors import UserError
from components.files.paths import is_remote

_WORDS = {
    "No space left on device": errno.ENOSPC,
    "database or disk is full": errno.ENOSPC,
    "Disk quota exceeded": errno.EDQUOT,
    "File too large": errno.EFBIG,
}
"""Of errors without a number: TensorFlow's, libhdf5's, SQLite's."""
_REASONS = "|".join(_WORDS)
FULL = frozenset(_WORDS.values())
"""The numbers of errors that end a write for want of room."""
_GROWTH = 1_000_000  # bytes: a new store has a third of that


class DiskFull(UserError):
    """Too little can be written: no space, a quota, or a limit on a file's size."""


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
            where = " and ".join(need.folder for need in on_disk)
            keys = ", ".join(need.key for need in on_disk)
            _, mend = told(errno.ENOSPC, f"name a folder on another disk ({keys})")
            raise DiskFull(_sentence("Too little space in", where, on_disk, mend))


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
        if error.errno in FULL:  # else a file system that can't tell
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


def check_growth(key: str, file: str) -> None:
    """Checks whether it was the file's size that ended a write, where a library does not say so.

    Args:
      key: the setting that names the file.
      file: on this machine; nothing is checked where there is none.

    Raises:
      DiskFull: it can't.
    """
    if not os.path.isfile(file):
        return
    size = os.path.getsize(file) + _GROWTH
    try:
        reserve(Path(f"{file}.trial"), size)
    except OSError as error:
        raise _ended(error.errno or errno.ENOSPC, file, Need(key, file, size)) from error


def full_disk(error: BaseException | None, needs: Sequence[Need]) -> DiskFull | None:
    """Returns the error as a sentence where no room is behind it; None where something else is.

    Args:
      error: of a step, a library or the metadata store; what caused it counts.
      needs: of the run, one at least. The fullest of their disks is named where the error names
        no file.
    """
    for fault in _behind(error):
        if isinstance(fault, DiskFull):
            return fault
        if number := _number(fault):
            path = _file_of(fault, needs)
            fullest = min(needs, key=lambda need: _free(need.folder))
            need = next((need for need in needs if _holds(need.folder, path)), fullest)
            return _ended(number, str(path or need.folder), need)
    return None


def _ended(number: int, path: str, need: Need) -> DiskFull:
    """Returns the error of a write that one of `FULL` ended."""
    reason, mend = told(number, f"name a folder on another disk ({need.key})")
    return DiskFull(_sentence(f"Nothing more can be written ({reason}) to", path, [need], mend))


def told(number: int, elsewhere: str) -> tuple[str, str]:
    """Returns what ended a write, and what to do about it.

    Args:
      number: one of `FULL`.
      elsewhere: how to write to another disk, as the end of a sentence.
    """
    if number == errno.EDQUOT:
        return "the quota is used up", f"Remove files there, have the quota raised, or {elsewhere}"
    if number != errno.EFBIG:
        return "it is full", f"Make room there, or {elsewhere}"
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit == resource.RLIM_INFINITY:
        return "its file system holds no file as large", elsewhere[0].upper() + elsewhere[1:]
    return (
        f"the limit of a file's size is reached, {limit:,} bytes for this process",
        "Raise RLIMIT_FSIZE where the command is started (`ulimit -f unlimited`, systemd's "
        "LimitFSIZE=infinity)",
    )


def _sentence(start: str, where: str, needs: Sequence[Need], mend: str) -> str:
    needed = sum(need.size for need in needs)
    free = _free(where if len(needs) == 1 else needs[0].folder)
    return (
        f"{start} {where}: about {needed:,} bytes are needed, {free:,} are free. {mend}; the same "
        "command then goes on from the last finished step."
    )


def _number(error: BaseException) -> int | None:
    """Returns which of `FULL` an error is; None for another one."""
    if isinstance(error, OSError) and error.errno in FULL:
        return error.errno
    return next((number for words, number in _WORDS.items() if words in str(error)), None)


def _file_of(error: BaseException, needs: Sequence[Need]) -> str | None:
    """Returns the file that could not be written, where the error names it."""
    if filename := getattr(error, "filename", None):
        return str(filename)
    if isinstance(error, shutil.Error) and isinstance(error.args[0], list):  # of copytree
        return next((str(to) for _, to, why in error.args[0] if _number(OSError(why))), None)
    patterns = (rf"{re.escape(need.folder)}/[^;\n]+(?=; ({_REASONS}))" for need in needs)
    found = (re.search(pattern, str(error)) for pattern in patterns)  # TensorFlow's: FILE; REASON
    return next((each[0] for each in found if each), None)


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
