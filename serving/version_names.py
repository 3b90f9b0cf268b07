"""The names in a push directory: which are versions, and which look like one and are none.

TensorFlow Serving takes every name that is an int64 (file_system_storage_path_source.cc), of files
and with zeros in front, too. So such names are never given to a push, though they are no versions.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from serving.labels import VersionError
from serving.version_facts import FILE, GREATEST

WITHDRAWN = ".withdrawn"
"""At the end of the name of a version that no server is to serve."""

_NAME = re.compile(r"(0|[1-9][0-9]*)(\.withdrawn)?")
_NUMBER_LIKE = re.compile(r"([0-9]+)(\.withdrawn)?", re.ASCII)


def strangers(model_dir: Path) -> list[str]:
    """Returns a sentence for each entry that has the name of a version, but can be none."""
    return sorted(
        f"{path} is ignored: {why}. Move it away."
        for path in model_dir.iterdir()
        if (why := _why_none(path)) is not None
    )


def folders(model_dir: Path) -> Iterator[tuple[int, bool, Path]]:
    """Yields number, whether its name says that it is withdrawn, and path of each version."""
    for path in model_dir.iterdir():
        match = _NAME.fullmatch(path.name)
        if match and _why_none(path) is None:
            yield int(match[1]), match[2] is not None, path


def _why_none(path: Path) -> str | None:
    """Returns why an entry that has the name of a version is none; None where it is one."""
    match = _NUMBER_LIKE.fullmatch(path.name)
    if match is None:
        return None
    if len(match[1]) > len(str(GREATEST)) or int(match[1]) > GREATEST:
        return f"its number is greater than {GREATEST}, the greatest that a server can hold"
    if not _NAME.fullmatch(path.name):
        return f"its number is not written plainly, as {int(match[1])}"
    if not path.is_dir():
        return "it is a file, and a version is a folder"
    if match[2] and path.with_name(match[1]).is_dir():
        return f"version {match[1]} is there as well"
    return None


def next_number(model_dir: Path, greatest: int) -> int:
    """Returns the number of the next push.

    Args:
        model_dir: the push directory.
        greatest: the greatest number ever taken there.

    Returns:
        The time in seconds, or one more than the greatest number that is there or was.

    Raises:
        VersionError: no number is left that a server can hold.
    """
    names = [_NUMBER_LIKE.fullmatch(path.name) for path in model_dir.iterdir()]
    short = [match[1] for match in names if match and len(match[1]) <= len(str(GREATEST))]
    taken = [number for number in map(int, short) if number <= GREATEST]
    number = max([int(time.time()), greatest + 1, *(each + 1 for each in taken)])
    if number > GREATEST:
        raise VersionError(
            f"{model_dir} has a version {GREATEST}, or had one: it is the greatest number that a"
            f" server can hold, and no push can be newer. Rename its folder to a smaller number,"
            f" and remove {FILE}, which remembers it; then push again."
        )
    return number
