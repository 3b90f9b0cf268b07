"""One table of a model's versions: the state of each, and what is loaded of it.

Its rows go START, LOADING, AVAILABLE, UNLOADING, END. A version that comes back gets a new row;
requests that still run on the old one finish on it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from serving.local_server.errors import ServingError, servable_not_found
from serving.local_server.servable import Servable
from serving.local_server.states import AVAILABLE, END, LOADING, START, UNLOADING, VersionState

LOAD_ATTEMPTS = 3  # TensorFlow Serving: 6, a minute apart
RETRY_SECONDS = 1.0


@dataclass(eq=False)
class _Row:
    state: VersionState
    servable: Servable | None = None
    leases: int = 0
    attempts: int = 0
    """How many failed."""
    retry_at: float = 0.0  # time.monotonic()

    @property
    def over(self) -> bool:
        """Whether the version starts anew when it is asked for again."""
        ended = self.state.state == END and not self.attempts
        return ended or self.state.state == UNLOADING


class VersionTable:
    """The versions of one model. All methods may be called by several threads.

    Args:
        name: the model's, for errors.
        changed: is told every new state, in the thread that brought it about.
    """

    def __init__(self, name: str, changed: Callable[[VersionState], None]) -> None:
        self._name = name
        self._changed = changed
        self._lock = threading.Lock()
        self._rows: dict[int, _Row] = {}

    def states(self) -> list[VersionState]:
        """Returns the state of every version there has been, the greatest number first."""
        with self._lock:
            states = [row.state for row in self._rows.values()]
        return sorted(states, key=lambda state: -state.version)

    def available(self) -> set[int]:
        """Returns the versions that requests can be answered by now."""
        return {state.version for state in self.states() if state.state == AVAILABLE}

    @contextmanager
    def lease(self, version: int | None = None) -> Iterator[Servable]:
        """Keeps an available version loaded inside the block, the greatest by default.

        Raises:
            ServingError: NOT_FOUND, it is not available.
        """
        with self._lock:
            known = {n: row for n, row in self._rows.items() if row.state.state == AVAILABLE}
            row = known.get(max(known, default=-1) if version is None else version)
            if row is None or row.servable is None:
                raise servable_not_found(self._name, version)
            row.leases += 1
            servable = row.servable
        try:
            yield servable
        finally:
            del servable
            with self._lock:
                row.leases -= 1
            self._end_if_idle(row)

    def start(self, number: int) -> bool:
        """Begins to load a version; returns False where it failed too often, or just now."""
        with self._lock:
            row = self._rows.get(number)
            fresh = row is None or row.over
            if row is None or fresh:
                row = self._rows[number] = _Row(VersionState(number, START))
            elif row.attempts == LOAD_ATTEMPTS or time.monotonic() < row.retry_at:
                return False
        if fresh:
            self._changed(row.state)
        self._set(row, VersionState(number, LOADING))
        return True

    def loaded(self, number: int, servable: Servable) -> None:
        """Makes a version that was started available."""
        row = self._rows[number]
        row.servable, row.attempts = servable, 0
        self._set(row, VersionState(number, AVAILABLE))

    def failed(self, number: int, error: Exception) -> None:
        """Counts a failed attempt to load a version; the last one ends it with its error."""
        row = self._rows[number]
        row.attempts += 1
        row.retry_at = time.monotonic() + RETRY_SECONDS
        if row.attempts == LOAD_ATTEMPTS:
            fault = ServingError.of(error)
            self._set(row, VersionState(number, END, fault.code.value[0], fault.message))

    def forget_failures(self, aspired: Container[int]) -> None:
        """Tries no longer what is not aspired."""
        with self._lock:
            failing = [row for n, row in self._rows.items() if row.attempts and n not in aspired]
        for row in failing:
            row.attempts = 0
            if row.state.state == LOADING:
                self._set(row, VersionState(row.state.version, END))

    def retire(self, number: int) -> None:
        """Lets no further request reach a version; it ends with the last one that runs on it."""
        row = self._rows[number]
        self._set(row, VersionState(number, UNLOADING))
        self._end_if_idle(row)

    def _end_if_idle(self, row: _Row) -> None:
        with self._lock:
            ends = row.leases == 0 and row.state.state == UNLOADING
            if ends:
                row.servable, row.state = None, VersionState(row.state.version, END)
            told = ends and self._rows[row.state.version] is row  # not taken up again meanwhile
        if told:
            self._changed(row.state)

    def _set(self, row: _Row, state: VersionState) -> None:
        with self._lock:
            row.state = state
        self._changed(state)
