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
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from tensorflow_serving.config.model_server_config_pb2 import ModelConfig

from serving.local_server.errors import invalid_argument
from serving.local_server.policy import aspired_versions
from serving.local_server.servable import Servable
from serving.local_server.states import END, VersionState
from serving.local_server.version_table import VersionTable
from serving.local_server.warmup import warm_up
from serving.version_names import folders

POLL_SECONDS = 1.0

Load = Callable[[str, int, Path], Servable]
"""A model's name, version and folder -> the version, warmed up; it may fail in many ways."""


def load(name: str, number: int, path: Path) -> Servable:
    """Loads a version and runs its warm-up requests."""
    servable = Servable(name, number, path)
    warm_up(servable, path)
    return servable


class VersionManager:
    """Loads and unloads the versions of one model in a thread of its own.

    Args:
        config: name, base path (the push directory; while it is missing, what is loaded stays
            loaded), version policy and labels. A label may be of a version that is yet to load.
        changed: is told every new state, in the thread that brought it about.
        load: makes a version ready.
    """

    def __init__(
        self, config: ModelConfig, changed: Callable[[VersionState], None], load: Load = load
    ) -> None:
        self.config = config
        self._make_ready = load
        self._table = VersionTable(config.name, self._tell)
        self._changed = changed
        self._garbage = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="versions", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stops following the base path, after a load that is under way; what is loaded stays."""
        self._stopping.set()
        self._thread.join()

    def leave(self) -> None:
        """Stops, and unloads every version, once the last request that runs on it has ended."""
        self.stop()
        self._unload({})
        gc.collect()

    def configure(self, config: ModelConfig) -> None:
        """Follows another base path or policy from the next poll on, and takes over the labels.

        The caller has checked the labels (models.py).
        """
        self.config = config

    @property
    def labels(self) -> Mapping[str, int]:
        """The versions by their labels."""
        return self.config.version_labels

    def labelled(self, label: str) -> int:
        """Returns the version with this label.

        Raises:
            ServingError: INVALID_ARGUMENT, there is no such label.
        """
        labels = self.labels
        if label not in labels:
            raise invalid_argument(f"Unrecognized servable version label: {label}")
        return labels[label]

    def is_available(self, version: int) -> bool:
        """Checks whether requests can be answered by this version now."""
        return version in self._table.available()

    def states(self) -> list[VersionState]:
        """Returns the state of every version there has been, the greatest number first."""
        return self._table.states()

    def lease(self, version: int | None = None) -> AbstractContextManager[Servable]:
        """Keeps an available version loaded inside a block, the greatest by default.

        Raises:
            ServingError: NOT_FOUND, it is not available.
        """
        return self._table.lease(version)

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
            # By their names alone: a version that labels have left is served until the server has
            # read that, as TensorFlow Serving does.
            found = list(folders(Path(config.base_path)))
        except (FileNotFoundError, NotADirectoryError):
            return
        live = {number: path for number, withdrawn, path in found if not withdrawn}
        aspired = aspired_versions(live, config)
        self._table.forget_failures(aspired)
        self._unload(aspired)
        for number in sorted(aspired.keys() - self._table.available(), reverse=True):
            self._load(number, aspired[number])
            self._unload(aspired)

    def _unload(self, aspired: dict[int, Path]) -> None:
        """Retires what is not aspired, except the last version that answers.

        As availability_preserving_policy.cc has it.
        """
        available = self._table.available()
        leaving = sorted(available - aspired.keys())
        if aspired and not available & aspired.keys():
            leaving = leaving[:-1]
        for number in leaving:
            self._table.retire(number)

    def _load(self, number: int, path: Path) -> None:
        if not self._table.start(number):
            return
        try:
            servable = self._make_ready(self.config.name, number, path)
        except Exception as error:  # a broken SavedModel ends in many ways
            self._table.failed(number, error)
            return
        self._table.loaded(number, servable)

    def _tell(self, state: VersionState) -> None:
        if state.state == END:
            self._garbage.set()
        self._changed(state)
