"""The connection of either client: options, a channel, and stubs on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import grpc

from serving.client import messages
from serving.client.base import Options
from serving.client.channel import Tls, open_channel
from serving.client.results import Prediction
from serving.client.sources import Ready
from serving.picture_settings import PictureSettings
from serving.recording.recorder import Recorder
from serving.recording.settings import Recording


class Connection:
    """A channel to a server, opened with the first request; the base of both clients."""

    _api: ClassVar[Any] = grpc
    """`grpc`, or `grpc.aio`."""

    def __init__(
        self,
        server: str = "localhost:8500",
        name: str = "classifier",
        version: int | None = None,
        label: str | None = None,
        timeout: float = 60.0,
        *,
        max_pictures: int = 32,
        max_bytes: int = 16 * 2**20,
        concurrency: int = 4,
        max_message_bytes: int = -1,
        tls: Tls | None = None,
        token: str | Callable[[], str] | None = None,
        record: Recording | Path | str | None = None,
    ) -> None:
        """Makes the client.

        Args:
            server: host and gRPC port.
            name: the model's name on the server.
            version, label, timeout: and all others, see `Options`.
            record: a folder in which one in 100 pictures is kept with its prediction, or a
                `Recording` that says how many; None: none is.

        Raises:
            ValueError: options that exclude each other, see `Options`.
            OSError: a certificate can't be read.
        """
        self._options = Options(
            server, name, version, label, timeout, max_pictures, max_bytes, concurrency,
            max_message_bytes, tls, token,
        )  # fmt: skip
        self._messages = messages
        self._pictures = PictureSettings()  # of the model, as its last answer said
        self._spec = messages.model_spec(name, version, label)
        self._channel = open_channel(self._api, server, max_message_bytes, tls)
        self._prediction_service = messages.PredictionServiceStub(self._channel)
        self._model_service = messages.ModelServiceStub(self._channel)
        recording = Recording.of(record)
        self._recorder = Recorder(recording) if recording else None

    def _kept(
        self, pictures: Sequence[Ready], response: Any, predictions: list[Prediction]
    ) -> list[Prediction]:
        """Returns the predictions of a response; keeps one in N where that was asked for."""
        if self._recorder is not None:
            spec = response.model_spec
            for item, found in zip(pictures, predictions, strict=True):
                self._recorder.keep(
                    item.encoded,
                    found.classes,
                    found.scores,
                    model=spec.name,
                    version=spec.version.value,
                    certain=found.certain,
                    distance=found.distance,
                    source=item.source,
                )
        return predictions
