"""The files of an artifact as its step left them, so that a change by hand is seen.

The facts of each file stand in a property of the artifact. Size and time of modification tell that
a file is as it was; where they differ (a root that was copied), the digest decides.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator

FILES = "files"
"""The property: JSON of {path in the artifact: [bytes, modified in ns, SHA-256]}."""


def noted(folder: str) -> str:
    """Returns the property's value for an artifact in a local folder."""
    facts = {}
    for path in sorted(_files(folder)):
        full = os.path.join(folder, path)
        state = os.stat(full)
        facts[path] = [state.st_size, state.st_mtime_ns, _digest(full)]
    return json.dumps(facts)


def change(folder: str, note: str) -> str | None:
    """Returns which file is not as it was, and how; None where all are, or nothing was noted.

    Args:
      folder: of the artifact, on this machine.
      note: the property's value.
    """
    for path, (size, modified, digest) in json.loads(note or "{}").items():
        full = os.path.join(folder, path)
        if not os.path.isfile(full):
            return f"{full} is not there any more"
        state = os.stat(full)
        if (state.st_size, state.st_mtime_ns) == (size, modified):
            continue
        if state.st_size != size or _digest(full) != digest:
            return f"{full} was changed after it was written"
    return None


def _files(folder: str) -> Iterator[str]:
    for place, _, names in os.walk(folder):
        yield from (os.path.relpath(os.path.join(place, name), folder) for name in names)


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
