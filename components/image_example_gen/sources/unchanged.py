"""Whether a source is as it was when it was listed: a look at times, and no listing.

By `data.changes: files` that is every file's size and time, a twentieth of what listing costs. By
`folders` it is the folders' own times, which tell that an entry was added, removed or renamed, as
pictures come and go: next to nothing. One that is overwritten in place leaves them as they were.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable

from components.settings.data import Data
from components.step.code_version import code_version
from serving.picture_formats import SUFFIXES

_SETTLED = 2 * 10**9  # nanoseconds; the coarsest times, of FAT, are two seconds apart
MOST_PLACES = 65_536
"""More folders are listed anew: their states would be as long as a listing."""

_CODE = "components.image_example_gen.listing_handover"  # lists, and reads what was kept


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Facts that stay the same as long as a listing holds."""

    question: str  # a digest of what was asked for, and of what answered
    states: dict[str, str]  # by path of a folder, or of a file that lists pictures

    def holds(self, data: Data) -> bool:
        """Checks whether a listing for these settings would find the same."""
        return self.question == _question(data) and all(
            state == _state(path, data)[0] for path, state in self.states.items()
        )


def evidence(data: Data, places: Iterable[str], began: int) -> Evidence | None:
    """Returns what has to stay the same; None where a place changes while it is looked at.

    Args:
      data: the settings of the listing.
      places: the folders and files that were read.
      began: when reading them began, in nanoseconds since the epoch. What changed after it, or so
        shortly before that it may change again without another time, counts as changed.
    """
    states = {}
    for path in places:
        state, changed = _state(path, data)
        if not state or changed >= began - _SETTLED:
            return None
        states[path] = state
    return Evidence(_question(data), states)


def _question(data: Data) -> str:
    """Returns the digest of what is asked for, and of what answers: the code, and decoders."""
    # The same relative path is another folder elsewhere.
    asked = data.resolved().model_dump_json(include=set(Data.model_fields))
    answers = "\n".join([code_version(_CODE), *sorted(SUFFIXES), asked])
    return hashlib.sha256(answers.encode()).hexdigest()


def _state(path: str, data: Data) -> tuple[str, int]:
    """Returns a folder's or file's state, and when it was changed last, by the kernel's own time.

    Of a file behind a link it is the file that counts. The state of what is not there is empty.
    """
    try:
        if data.changes == "files" and os.path.isdir(path):
            return _state_of_entries(path)
        found = os.stat(path)
    except OSError:
        return "", 0
    known = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev)
    return " ".join(map(str, known)), found.st_ctime_ns


def _state_of_entries(folder: str) -> tuple[str, int]:
    """Does so by what is right in a folder: of files size and time, of folders the names alone."""
    total, changed = 0, os.stat(folder).st_ctime_ns
    with os.scandir(folder) as items:
        for item in items:
            state, at = _state_of_entry(item)
            # A sum, since folders are listed in any order, and may hold a million files.
            total += int.from_bytes(hashlib.sha256(state).digest(), "big")
            changed = max(changed, at)
    return f"{total:x}", changed


def _state_of_entry(item: os.DirEntry[str]) -> tuple[bytes, int]:
    name = os.fsencode(item.name)
    try:
        if item.is_dir():
            return b"%s/" % name, 0
        found = item.stat()
    except OSError:  # a broken link
        return name, 0
    state = found.st_size, found.st_mtime_ns, found.st_mode  # who may read it
    return b"%s/%d %d %o" % (name, *state), found.st_ctime_ns
