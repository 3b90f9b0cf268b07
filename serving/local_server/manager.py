"""Which versions are loaded: follows the base path as TensorFlow Serving's manager does.

Every second the base path says which versions to serve: the greatest number, or those that the
model's configuration asks for. A new one is loaded and warmed up before the last of the old ones is
unloaded, so from the first load on there is one that answers; requests that run on a version that
is leaving finish on it.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from serving.local_server.errors import ServingError, invalid_argument, servable_not_found
from serving.local_server.policy import aspired_versions
from serving.local_server.servable import Servable
from serving.local_server.states import AVAILABLE, END, LOADING, START, UNLOADING, VersionState
from serving.local_server.warmup import warm_up
from serving.versions import VersionError, published

POLL_SECONDS = 1.0
LOAD_ATTEMPTS = 3  # TensorFlow Serving: 6, a minute apart
RETRY_SECONDS = 1.0


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
    """Loads and unloads the versions of one model in a thread of its own.

    Args:
        config: name, base path (the push directory; while it is missing, what is loaded stays
            loaded), version policy and labels. A label may be of a version that is yet to load.
        changed: is told every new state, in the thread that brought it about.
    """

    def __init__(self, config: ModelConfig, changed: Callable[[VersionState], None]) -> None:
        self.config = config
        self._name = config.name
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
        """Stops following the base path, after a load that is under way; what is loaded stays."""
        self._stopping.set()
        self._thread.join()

    def configure(self, config: ModelConfig) -> None:
        """Follows another base path or policy from the next poll on, and takes over the labels.

        The caller has checked the labels (models.py).
        """
        with self._lock:
            self.config = config

    @property
    def labels(self) -> Mapping[str, int]:
        """The versions by their labels."""
        return self.config.version_labels

    def labelled(self, label: str) -> int:
        """Gives the version with this label.

        Raises:
            ServingError: INVALID_ARGUMENT, there is no such label.
        """
        labels = self.labels
        if label not in labels:
            raise invalid_argument(f"Unrecognized servable version label: {label}")
        return labels[label]

    def is_available(self, version: int) -> bool:
        """Whether requests can be answered by this version now."""
        with self._lock:
            return version in self._loaded

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
                logging.exception("Cannot follow %s", self.config.base_path)
            if self._garbage.is_set():
                self._garbage.clear()
                gc.collect()  # models hold reference cycles, and much memory
            if self._stopping.wait(POLL_SECONDS):
                return

    def _poll(self) -> None:
        config = self.config
        try:
            versions = published(Path(config.base_path))
        except VersionError:
            return
        aspired = aspired_versions(versions, config)
        for number in self._failures.keys() - aspired.keys():
            del self._failures[number]
            self._end(number, LOADING)
        self._unload(aspired)
        for number in sorted(aspired.keys() - self._loaded.keys(), reverse=True):
            self._load(number, aspired[number])
            self._unload(aspired)

    def _unload(self, aspired: dict[int, Path]) -> None:
        """Retires what is not aspired, except the last version that answers.

        As availability_preserving_policy.cc has it.
        """
        leaving = sorted(self._loaded.keys() - aspired.keys())
        if aspired and not aspired.keys() & self._loaded.keys():
            leaving = leaving[:-1]
        for number in leaving:
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
