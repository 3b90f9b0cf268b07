"""A local server that reads its `models.config` again, as TensorFlow Serving does when told to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.config_files import ConfigFileError, read_models
from serving.local_server.errors import ServingError
from serving.local_server.server import LocalServer


class FollowingServer(LocalServer):
    """Serves what `models_file` lists, and reads the list again every `seconds`.

    A list that is refused changes nothing and is retried with the next look: as with
    `--model_config_file_poll_wait_seconds` (server.cc, PollFilesystemAndReloadConfig).

    Args:
        models_file: a `models.config`.
        seconds: between two looks; 0 reads the file once.
        announce: as for LocalServer; also told why a list is refused, once for each reason.

    Raises:
        ConfigFileError: the file is not of its form at the start, or lists what can't be served.
    """

    def __init__(
        self,
        models_file: Path,
        seconds: float,
        *,
        announce: Callable[[str], None] = print,
        **options: Any,
    ) -> None:
        try:
            super().__init__(_models(models_file), announce=announce, **options)
        except ServingError as error:
            raise ConfigFileError(
                f"{models_file} can't be served: {error}. Correct it there."
            ) from error
        self._file = models_file
        self._seconds = seconds
        self._said = ""
        self._ended = threading.Event()
        self._follower = threading.Thread(target=self._follow, name="models.config", daemon=True)
        if seconds:
            self._follower.start()

    def stop(self, grace: float = 30.0) -> None:
        self._ended.set()
        if self._seconds:
            self._follower.join(grace)
        super().stop(grace)

    def _follow(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                self._models.apply(_models(self._file))
                self._said = ""
            except (ConfigFileError, ServingError) as error:
                self._refuse(f"{self._file} is not taken: {error}")
            except Exception:  # a disk that fails now may answer at the next look
                logging.exception("Cannot follow %s", self._file)

    def _refuse(self, reason: str) -> None:
        if reason != self._said:
            self._say(reason)
        self._said = reason


def _models(path: Path) -> ModelServerConfig:
    """Reads a file into the message that a reload request brings, too."""
    return ModelServerConfig.FromString(read_models(path).SerializeToString())
