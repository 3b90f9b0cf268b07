"""The synchronous gRPC client of a server that serves a model of this pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import grpc

from serving.client.batches import cut
from serving.client.channel import open_channel
from serving.client.errors import (
    ClientError,
    DeadlineExceeded,
    ModelNotFound,
    PictureRefused,
    RequestRefused,
    ServerUnavailable,
)
from serving.client.results import Prediction, Signature, VersionStatus
from serving.client.sources import Ready, Source, prepare

# How TensorFlow Serving's messages start (server_core.cc, predict_util.cc).
_UNKNOWN_LABEL = "Unrecognized servable version label"
_WRONG_FORM = ("input size does not match signature", "Expects arg[", "Missing ModelSpec")


class Client:
    """Asks TensorFlow Serving, or the local server, what is on pictures; thread-safe.

    Args:
        server: host and gRPC port.
        name: the model's name on the server.
        version: a version to ask instead of the newest; or
        label: a label that the server's configuration gives to a version.
        timeout: seconds for one request with its retries; several requests may be needed.
        max_pictures: at most so many pictures in one request.
        max_bytes: at most so many bytes of pictures in one request, but at least one picture.

    Raises:
        ValueError: both a version and a label, or a limit under 1.
    """

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
    ) -> None:
        if version is not None and label is not None:
            raise ValueError("Ask for a version or for a label, not for both")
        if max_pictures < 1 or max_bytes < 1:
            raise ValueError(f"Limits under 1: {max_pictures=}, {max_bytes=}")
        from serving.client import messages  # imports TensorFlow

        self._messages = messages
        self._server = server
        self._name = name
        self._timeout = timeout
        self._max_pictures = max_pictures
        self._max_bytes = max_bytes
        self._spec = messages.model_spec(name, version, label)
        self._channel = open_channel(server)
        self._prediction_service = messages.PredictionServiceStub(self._channel)
        self._model_service = messages.ModelServiceStub(self._channel)

    def close(self) -> None:
        """Closes the connection; requests under way fail."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def classify(self, pictures: Iterable[Source]) -> list[Prediction]:
        """Gives one prediction per picture, in order.

        Args:
            pictures: encoded bytes, paths, or files opened in binary mode.

        Raises:
            PictureRefused: the first picture that cannot be read, here or on the server.
            ServerUnavailable, DeadlineExceeded, ModelNotFound, RequestRefused: see each.
        """
        predictions = []
        for answer in self.classify_each(pictures):
            if isinstance(answer, PictureRefused):
                raise answer
            predictions.append(answer)
        return predictions

    def classify_each(self, pictures: Iterable[Source]) -> Iterator[Prediction | PictureRefused]:
        """Gives, one by one and in order, each picture's prediction or why it has none.

        Goes on past pictures that are refused, and reads them batch by batch as it goes. Raises as
        `classify` does otherwise.
        """
        prepared = (prepare(source, position) for position, source in enumerate(pictures))
        for batch in cut(prepared, _size, self._max_pictures, self._max_bytes):
            answers = iter(self._ask([item for item in batch if isinstance(item, Ready)]))
            for item in batch:
                yield next(answers) if isinstance(item, Ready) else item

    def status(self) -> list[VersionStatus]:
        """Gives the versions that the server tracks, the newest first.

        Raises:
            ServerUnavailable, DeadlineExceeded, ModelNotFound, RequestRefused: see each.
        """
        request = self._messages.status_request(self._spec)
        return self._messages.statuses(self._call(self._model_service.GetModelStatus, request))

    def metadata(self) -> dict[str, Signature]:
        """Gives the signatures of the served version by name.

        Raises:
            ServerUnavailable, DeadlineExceeded, ModelNotFound, RequestRefused: see each.
        """
        request = self._messages.metadata_request(self._spec)
        return self._messages.signatures(
            self._call(self._prediction_service.GetModelMetadata, request)
        )

    def _ask(self, pictures: list[Ready]) -> list[Prediction | PictureRefused]:
        """One request; should it be refused for a picture, one each finds out for which."""
        if not pictures:
            return []
        request = self._messages.predict_request(self._spec, [item.encoded for item in pictures])
        try:
            response = self._call(self._prediction_service.Predict, request)
        except RequestRefused as error:
            if not _blames_a_picture(error):
                raise
            if len(pictures) > 1:
                return [answer for item in pictures for answer in self._ask([item])]
            return [PictureRefused(pictures[0].file, error.details.partition("\n")[0])]
        return [*self._messages.predictions(response)]

    def _call(self, method: Callable[..., Any], request: Any) -> Any:
        try:
            return method(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise self._error(error.code(), error.details() or "") from None

    def _error(self, code: grpc.StatusCode, details: str) -> ClientError:
        if code == grpc.StatusCode.UNAVAILABLE:
            return ServerUnavailable(self._server, details)
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineExceeded(self._server, self._timeout)
        if code == grpc.StatusCode.NOT_FOUND or details.startswith(_UNKNOWN_LABEL):
            return ModelNotFound(self._server, self._name, details)
        return RequestRefused(self._server, code.name, details)


def _blames_a_picture(error: RequestRefused) -> bool:
    """Whether the graph ended on a picture; a request of a wrong form ends before the graph."""
    return error.code == grpc.StatusCode.INVALID_ARGUMENT.name and not error.details.startswith(
        _WRONG_FORM
    )


def _size(item: Ready | PictureRefused) -> int:
    return len(item.encoded) if isinstance(item, Ready) else 0
