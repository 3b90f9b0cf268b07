"""Retries reads of a file system that is down for a moment; one that stays down ends the run.

A picture that is not there, or that this user may not read, is a fault of its own: it is rejected.
A mount that is gone is no such fault: its pictures would be missing from a data set that passes for
whole.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import TypeVar

from components.errors import UserError
from components.files.paths import is_remote
from components.retries import WAITS, retried

_WAITS = WAITS[:4]  # a picture of many: not half a minute each
_OF_ONE_FILE = {
    *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR),
    *(errno.EINVAL, errno.ELOOP, errno.ENAMETOOLONG),
}

Result = TypeVar("Result")


class SourceUnavailable(UserError):
    """A file system does not answer."""


def read(path: str, action: Callable[[], Result]) -> Result:
    """Returns what `action` reads of a file.

    Raises:
      OSError: this file can't be read.
      SourceUnavailable: the file system did not answer for a while.
    """
    try:
        return attempted(action, lambda error: _is_transient(path, error))
    except OSError as error:
        if not _is_transient(path, error):
            raise
        raise SourceUnavailable(
            f"{path} can't be read ({error.strerror or error}), after "
            f"{sum(_WAITS):.0f} s of attempts. Is the file system mounted and reached? Nothing was "
            "lost: once it answers, the same command goes on. Where this file alone is at fault, "
            "remove it."
        ) from error


def attempted(action: Callable[[], Result], is_transient: Callable[[Exception], bool]) -> Result:
    """Retries `action` and returns its result; raises its last error, or a permanent one."""
    return retried(action, _WAITS, is_transient)


def _is_transient(path: str, error: Exception) -> bool:
    if not isinstance(error, OSError) or isinstance(error, FileNotFoundError | PermissionError):
        return False
    if error.errno is not None:
        return error.errno not in _OF_ONE_FILE
    return is_remote(path) and _may_be_there(path)


def _may_be_there(path: str) -> bool:
    """Checks whether a remote file is there; True also where that can't be found out."""
    from components import files

    try:
        return files.exists(path)
    except OSError:
        return True
