"""The files of a split, of which a reader holds some at a time on this machine.

Files on this machine are read where they lie. Of those elsewhere, the files of a window are copied
when their turn comes: a record is then read by its position, without a request for each. On the
disk are never more than the windows that may still be read.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from components.artifacts import tfrecords
from components.files.copies import copy_here
from components.files.paths import is_remote

_HELD = 3  # windows: one is read, one follows, and of one the last records may be under way
_AT_ONCE = 8  # files that are copied at the same time


class WindowFiles:
    """Files by their numbers in a list of paths."""

    def __init__(self, paths: Sequence[str]):
        self._paths = paths
        self._windows: list[list[int]] = [[]]
        self._coming: set[int] = set()  # copied already, and of no window yet
        self._copies: tempfile.TemporaryDirectory[str] | None = None
        if any(map(is_remote, paths)):
            self._copies = tempfile.TemporaryDirectory(prefix="transfer-pipeline-window-")

    def __len__(self) -> int:
        return len(self._paths)

    def opened(self, numbers: Sequence[int]) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Yields each file's number and its records' positions; adds it to the window."""
        threads = _AT_ONCE if self._copies else 1
        with ThreadPoolExecutor(threads) as pool:
            for start in range(0, len(numbers), threads):
                some = numbers[start : start + threads]
                self._coming = set(some)
                for number, places in zip(some, pool.map(self.positions, some), strict=True):
                    self._windows[-1].append(number)
                    self._coming.discard(number)
                    yield number, places

    def positions(self, number: int) -> list[tuple[int, int]]:
        """Returns offset and length of each record of a file."""
        return tfrecords.positions(self._local(number))

    def count(self, number: int) -> int:
        """Returns how many records a file has, without a copy of it."""
        path = self._paths[number]
        if not is_remote(path):
            return len(tfrecords.positions(path))
        with tfrecords.opened(path) as file:
            return sum(1 for _ in tfrecords.records(file))

    def read(self, number: int, offset: int, length: int) -> bytes:
        """Returns a record."""
        try:
            file = tfrecords.opened(self._local(number))
        except FileNotFoundError:  # its window ended meanwhile: this batch began long ago
            file = tfrecords.opened(self._local(number))
        with file:
            file.seek(offset)
            return file.read(length)

    def end_window(self) -> None:
        """Ends a window when the next one is asked for; the oldest window's copies are removed."""
        self._windows.append([])
        if len(self._windows) <= _HELD:
            return
        needed = {*itertools.chain(*self._windows[1:]), *self._coming}
        for number in set(self._windows.pop(0)) - needed if self._copies else ():
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._copy(number))

    def _local(self, number: int) -> str:
        path = self._paths[number]
        if not is_remote(path):
            return path
        copy = self._copy(number)
        if not os.path.exists(copy):
            copy_here(path, copy)
        return copy

    def _copy(self, number: int) -> str:
        assert self._copies is not None
        return os.path.join(self._copies.name, f"{number:08}")
