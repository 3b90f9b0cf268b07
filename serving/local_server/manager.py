"""Which versions are loaded: follows the base path as TensorFlow Serving's manager does.

Every second the base path says which version to serve (the greatest number). A new one is loaded
and warmed up before the old one is unloaded, so from the first load on there is one that answers;
requests that run on a version that is leaving finish on it.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tensorflow_serving.apis.get_model_status_pb2 import ModelVersionStatus

from serving.local_server.errors import ServingError, servable_not_found
from serving.local_server.servable import Servable
from serving.local_server.warmup import warm_up
from serving.versions import VersionError, published

POLL_SECONDS = 1.0
LOAD_ATTEMPTS = 3  # TensorFlow Serving: 6, a minute apart
RETRY_SECONDS = 1.0

START, LOADING, AVAILABLE, UNLOADING, END = (
    ModelVersionStatus.START,
    ModelVersionStatus.LOADING,
    ModelVersionStatus.AVAILABLE,
    ModelVersionStatus.UNLOADING,
    ModelVersionStatus.END,
)


@dataclass(frozen=True)
class VersionState:
    """Where a version is in its life, and the error that ended it, if one did."""

    version: int
    state: int
    code: int = 0  # as in gRPC; 0 is OK
    message: str = ""


@dataclass
class _Loaded:
    servable: Servable
    leases: int = 0
    retired: bool = False


@dataclass(frozen=True)
class _Failure:
    attempts: int
    retry_at: float  # time.monotonic()


class VersionManager:
    """Loads and unloads the versions under `base_path` in a thread of its own.

    Args:
        name: the model's name.
        base_path: the push directory; while it is missing, what is loaded stays loaded.
        changed: is told every new state, in the thread that brought it about.
    """

    def __init__(self, name: str, base_path: Path, changed: Callable[[VersionState], None]) -> None:
        self._name = name
        self._base_path = base_path
        self._changed = changed
        self._lock = threading.Lock()  # guards the next two
        self._states: dict[int, VersionState] = {}
        self._loaded: dict[int, _Loaded] = {}
        self._failures: dict[int, _Failure] = {}
        self._garbage = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="versions", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stops following the base path, after a load that is under way."""
        self._stopping.set()
        self._thread.join()

    def states(self) -> list[VersionState]:
        """Gives every version there has been, the greatest number first."""
        with self._lock:
            return sorted(self._states.values(), key=lambda state: -state.version)

    @contextmanager
    def lease(self, version: int | None = None) -> Iterator[Servable]:
        """Gives a loaded version, the greatest by default, and keeps it loaded meanwhile.

        Raises:
            ServingError: NOT_FOUND, it is not loaded.
        """
        with self._lock:
            number = max(self._loaded, default=None) if version is None else version
            if number not in self._loaded:
                raise servable_not_found(self._name, version)
            entry = self._loaded[number]
            entry.leases += 1
        try:
            yield entry.servable
        finally:
            with self._lock:
                entry.leases -= 1
                last = entry.retired and entry.leases == 0
            if last:
                self._end(entry.servable.version, UNLOADING)

    def _follow(self) -> None:
        while True:
            try:
                self._poll()
            except Exception:  # a disk that fails now may answer in a second
                logging.exception("Cannot follow %s", self._base_path)
            if self._garbage.is_set():
                self._garbage.clear()
                gc.collect()  # models hold reference cycles, and much memory
            if self._stopping.wait(POLL_SECONDS):
                return

    def _poll(self) -> None:
        try:
            versions = published(self._base_path)
        except VersionError:
            return
        aspired = {
            version.number: version.path for version in versions if version.state == "served"
        }
        for number in self._failures.keys() - aspired.keys():
            del self._failures[number]
            self._end(number, LOADING)
        for number in aspired.keys() - self._loaded.keys():
            self._load(number, aspired[number])
        if aspired.keys() <= self._loaded.keys():
            for number in self._loaded.keys() - aspired.keys():
                self._retire(number)

    def _load(self, number: int, path: Path) -> None:
        failure = self._failures.get(number, _Failure(0, 0.0))
        if failure.attempts == LOAD_ATTEMPTS or time.monotonic() < failure.retry_at:
            return
        if failure.attempts == 0:
            self._set(VersionState(number, START))
        self._set(VersionState(number, LOADING))
        try:
            servable = Servable(self._name, number, path)
            warm_up(servable, path)
        except Exception as error:  # a broken SavedModel ends in many ways
            attempts = failure.attempts + 1
            self._failures[number] = _Failure(attempts, time.monotonic() + RETRY_SECONDS)
            if attempts == LOAD_ATTEMPTS:
                fault = ServingError.of(error)
                self._set(VersionState(number, END, fault.code.value[0], fault.message))
            return
        self._failures.pop(number, None)
        with self._lock:
            self._loaded[number] = _Loaded(servable)
        self._set(VersionState(number, AVAILABLE))

    def _retire(self, number: int) -> None:
        self._set(VersionState(number, UNLOADING))
        with self._lock:
            entry = self._loaded.pop(number)
            entry.retired = True
            idle = entry.leases == 0
        if idle:
            self._end(number, UNLOADING)

    def _end(self, number: int, stage: int) -> None:
        """Ends a version at the end of `stage`, unless it has been taken up again meanwhile."""
        self._garbage.set()
        with self._lock:
            ends = self._states[number].state == stage
        if ends:
            self._set(VersionState(number, END))

    def _set(self, state: VersionState) -> None:
        with self._lock:
            self._states[state.version] = state
        self._changed(state)
