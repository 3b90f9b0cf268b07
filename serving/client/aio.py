"""The client for asyncio: the same options, predictions and errors as the synchronous one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc

from serving.client import base
from serving.client.base import ATTEMPTS, Answer, Batch
from serving.client.busy import Busy
from serving.client.connection import Connection
from serving.client.errors import MessageTooLarge, PictureRefused, RequestRefused
from serving.client.results import Prediction, Signature, VersionStatus
from serving.client.sources import Ready, Source


class AsyncClient(Connection):
    """As `serving.client.Client`; to be made and used inside one event loop.

    Pictures are read and made canonical in a thread, so the loop keeps running meanwhile.
    """

    _api = grpc.aio

    async def close(self) -> None:
        """Closes the connection; requests under way fail."""
        await self._channel.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def classify(self, pictures: Iterable[Source]) -> list[Prediction]:
        """Returns one prediction per picture, in order; raises as `Client.classify`."""
        predictions = []
        answers = self.classify_each(pictures)
        try:
            async for answer in answers:
                if isinstance(answer, PictureRefused):
                    raise answer
                predictions.append(answer)
        finally:
            await answers.aclose()  # type: ignore[attr-defined]
        return predictions

    async def classify_each(self, pictures: Iterable[Source]) -> AsyncIterator[Answer]:
        """Yields each picture's prediction or why it has none, as `Client.classify_each`."""
        cut = base.batches(self._options, pictures, lambda: self._pictures)
        under_way: deque[tuple[Batch, asyncio.Task[list[Answer]]]] = deque()
        try:
            while batch := await asyncio.to_thread(next, cut, None):
                under_way.append((batch, asyncio.create_task(self._ask(base.ready(batch)))))
                if len(under_way) >= self._options.concurrency:
                    first, answers = under_way.popleft()
                    for answer in base.merged(first, await answers):
                        yield answer
            while under_way:
                first, answers = under_way.popleft()
                for answer in base.merged(first, await answers):
                    yield answer
        finally:
            for _, task in under_way:
                task.cancel()

    async def status(self) -> list[VersionStatus]:
        """Returns the versions that the server tracks; raises as `Client.status`."""
        request = self._messages.status_request(self._spec)
        return self._messages.statuses(
            await self._call(self._model_service.GetModelStatus, request)
        )

    async def metadata(self) -> dict[str, Signature]:
        """Returns the signatures of the served version by name; raises as `Client.metadata`."""
        request = self._messages.metadata_request(self._spec)
        return self._messages.signatures(
            await self._call(self._prediction_service.GetModelMetadata, request)
        )

    async def _ask(self, pictures: list[Ready], attempts: int = ATTEMPTS) -> list[Answer]:
        """Sends one request.

        If it is refused for a picture, sends one per picture to find that; for its length, two
        halves. What the model takes otherwise is sent anew.
        """
        if not pictures:
            return []
        request = self._messages.predict_request(self._spec, [item.encoded for item in pictures])
        try:
            response = await self._call(self._prediction_service.Predict, request)
        except MessageTooLarge:
            if len(pictures) == 1:
                raise
            return [answer for half in base.halves(pictures) for answer in await self._ask(half)]
        except RequestRefused as error:
            if not base.blames_a_picture(error):
                raise
            if len(pictures) > 1:
                return [(await self._ask([item]))[0] for item in pictures]
            return [base.refused(pictures[0], error)]
        self._pictures = self._messages.picture_settings(response)
        if attempts > 1:
            again = await asyncio.to_thread(base.otherwise, pictures, self._pictures)
            if again:
                return await self._ask(again, attempts - 1)
        predictions = self._messages.predictions(response)
        if self._recorder is None:
            return [*predictions]
        return [*await asyncio.to_thread(self._kept, pictures, response, predictions)]

    async def _call(self, method: Any, request: Any) -> Any:
        options, busy = self._options, Busy(self._options.timeout)
        while True:
            try:
                seconds = busy.seconds_left()
                return await method(request, timeout=seconds, metadata=options.metadata)
            except grpc.aio.AioRpcError as error:
                pause = busy.pause(error)
                if pause is None:
                    raise base.client_error(options, error) from None
            await asyncio.sleep(pause)
