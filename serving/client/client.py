"""The synchronous gRPC client of a server that serves a model of this pipeline."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import grpc

from serving.client import base
from serving.client.base import ATTEMPTS, Answer, Batch, Options
from serving.client.busy import Busy
from serving.client.connection import Connection
from serving.client.errors import (
    MessageTooLarge,
    PictureRefused,
    RequestRefused,
    ServerUnavailable,
)
from serving.client.results import Prediction, Signature, VersionStatus
from serving.client.sources import Ready, Source


class Client(Connection):
    """Asks TensorFlow Serving, or the local server, for the classes of pictures; thread-safe."""

    def close(self) -> None:
        """Closes the connection; requests under way fail."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def connect(self, seconds: float) -> None:
        """Connects before the first request, which would try for a minute.

        Raises:
            ServerUnavailable: nothing that speaks gRPC answers within `seconds`.
        """
        try:
            grpc.channel_ready_future(self._channel).result(seconds)
        except grpc.FutureTimeoutError:
            raise ServerUnavailable(
                self._options.server, f"nothing that speaks gRPC, within {seconds:g} s"
            ) from None

    def classify(self, pictures: Iterable[Source]) -> list[Prediction]:
        """Returns one prediction per picture, in order.

        Args:
            pictures: encoded bytes, paths, or files opened in binary mode.

        Raises:
            PictureRefused: the first picture that cannot be read, here or on the server.
            ServerUnavailable, ServerBusy, DeadlineExceeded, ModelNotFound, RequestRefused: see
                each.
        """
        predictions = []
        for answer in self.classify_each(pictures):
            if isinstance(answer, PictureRefused):
                raise answer
            predictions.append(answer)
        return predictions

    def classify_each(self, pictures: Iterable[Source]) -> Iterator[Answer]:
        """Yields, one by one and in order, each picture's prediction or why it has none.

        Continues after a refused picture, and reads pictures batch by batch, a few requests ahead.
        Raises as `classify` does otherwise.
        """
        under_way: deque[tuple[Batch, Any]] = deque()
        try:
            for batch in base.batches(self._options, pictures, lambda: self._pictures):
                under_way.append((batch, self._send(base.ready(batch))))
                if len(under_way) >= self._options.concurrency:
                    yield from self._received(*under_way.popleft())
            while under_way:
                yield from self._received(*under_way.popleft())
        finally:
            for _, call in under_way:
                if call is not None:
                    call.cancel()

    def status(self) -> list[VersionStatus]:
        """Returns the versions that the server tracks, the newest first.

        Raises:
            ServerUnavailable, ServerBusy, DeadlineExceeded, ModelNotFound, RequestRefused: see
                each.
        """
        request = self._messages.status_request(self._spec)
        return self._messages.statuses(
            self._result(self._begin(self._model_service.GetModelStatus, request))
        )

    def metadata(self) -> dict[str, Signature]:
        """Returns the signatures of the served version by name; raises as `status`."""
        request = self._messages.metadata_request(self._spec)
        return self._messages.signatures(
            self._result(self._begin(self._prediction_service.GetModelMetadata, request))
        )

    def _send(self, pictures: list[Ready]) -> Any:
        """Sends a request and does not wait; None where there is nothing to ask."""
        if not pictures:
            return None
        request = self._messages.predict_request(self._spec, [item.encoded for item in pictures])
        return self._begin(self._prediction_service.Predict, request)

    def _received(self, batch: Batch, call: Any) -> Iterator[Answer]:
        yield from base.merged(batch, self._answers(base.ready(batch), call))

    def _answers(self, pictures: list[Ready], call: Any, attempts: int = ATTEMPTS) -> list[Answer]:
        """Returns a request's answers.

        If it was refused for a picture, sends one per picture; for its length, two halves. What the
        model takes otherwise is sent anew.
        """
        if call is None:
            return []
        try:
            response = self._result(call)
        except MessageTooLarge:
            if len(pictures) == 1:
                raise
            parts = ((half, self._send(half)) for half in base.halves(pictures))
            return [answer for half, sent in parts for answer in self._answers(half, sent)]
        except RequestRefused as error:
            if not base.blames_a_picture(error):
                raise
            if len(pictures) > 1:
                singly = ([item] for item in pictures)
                return [self._answers(item, self._send(item))[0] for item in singly]
            return [base.refused(pictures[0], error)]
        self._pictures = self._messages.picture_settings(response)
        again = base.otherwise(pictures, self._pictures) if attempts > 1 else []
        if again:
            return self._answers(again, self._send(again), attempts - 1)
        return [*self._kept(pictures, response, self._messages.predictions(response))]

    def _begin(self, method: Any, request: Any) -> _Call:
        return _Call(self._options, method, request)

    def _result(self, call: _Call) -> Any:
        try:
            return call.result()
        except grpc.RpcError as error:
            raise base.client_error(self._options, error) from None


class _Call:
    """A request under way; `result` retries it while the server is too busy."""

    def __init__(self, options: Options, method: Any, request: Any) -> None:
        self._options, self._method, self._request = options, method, request
        self._busy = Busy(options.timeout)
        self._send()

    def cancel(self) -> None:
        self._future.cancel()

    def result(self) -> Any:
        while True:
            try:
                return self._future.result()
            except grpc.RpcError as error:
                pause = self._busy.pause(error)
                if pause is None:
                    raise
            time.sleep(pause)
            self._send()

    def _send(self) -> None:
        seconds, metadata = self._busy.seconds_left(), self._options.metadata
        self._future = self._method.future(self._request, timeout=seconds, metadata=metadata)
