"""Files that a command makes anew, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


@contextmanager
def new_text(path: Path) -> Iterator[TextIO]:
    """Opens a file that is not there yet; where it can't be written to its end, it is removed.

    Raises:
      FileExistsError: it is there.
      OSError: it can't be written.
    """
    file = path.open("x", encoding="utf-8", newline="")
    try:
        with file:  # a full disk may be met at its end
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
