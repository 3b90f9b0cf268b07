"""Sentences for what the operating system refuses: permissions, full disks, odd files."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from components.errors import UserError
from components.files import space

_FORBIDDEN = (errno.EACCES, errno.EPERM)
_TOO_MANY = (errno.EMFILE, errno.ENFILE)
_ODD = (
    errno.EIO, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.ESTALE,
)  # fmt: skip


class Refused(UserError):
    """The operating system refuses what a command needs."""


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Raises in place of an error of the operating system a sentence about it.

    Other errors pass: a missing file where one was expected may be a fault of ours.

    Raises:
      Refused: the user can mend it.
    """
    try:
        yield
    except OSError as error:
        if (sentence := _sentence(error)) is None:
            raise
        raise Refused(sentence) from error


def _sentence(error: OSError) -> str | None:
    where = str(error.filename) if error.filename is not None else "the command's output"
    again = "then run the command again"
    if error.errno in _FORBIDDEN:
        return (
            f"{where} can't be opened or written by user {os.geteuid()} ({error.strerror}). "
            f"Allowed is what `ls -ld` shows of it and of its folder: change that, or become its "
            f"owner; {again}."
        )
    if error.errno == errno.EROFS:
        return (
            f"{where} lies on a file system that is mounted for reading only. Mount it for "
            f"writing, or name a folder elsewhere; {again}."
        )
    if error.errno in space.FULL:
        reason, mend = space.told(error.errno, "write elsewhere")
        return f"Nothing more can be written ({reason}) to {where}. {mend}; {again}."
    if error.errno in _TOO_MANY:
        return (
            f"{where} can't be opened: this process may have no more files open "
            f"({error.strerror}). Raise the limit (`ulimit -n`); {again}."
        )
    if error.errno in _ODD:
        return f"{where}: {error.strerror}. `ls -ld` shows what is there: mend it; {again}."
    return None
