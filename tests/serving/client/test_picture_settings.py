"""A model says how its pictures become canonical; both clients do so from its first answer on."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable

import grpc
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from serving.client import AsyncClient, Client
from serving.picture_settings import DEFAULT, OUTPUT, PictureSettings
from serving.pictures import canonical
from tests.serving.client.test_client import Moody, served
from tests.serving.samples import colours, encode, half_transparent, png

TWELVE = png(Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64)))
TRANSPARENT = png(half_transparent())


class Particular(Moody):
    """Answers any picture, keeps what it got, and says what settings its version has."""

    def __init__(self, *settings: PictureSettings) -> None:
        super().__init__(lambda *_: None)
        self.settings = settings  # of the first answer, the second ...; the last for all others
        self.got: list[list[bytes]] = []

    def Predict(self, request: PredictRequest, context: grpc.ServicerContext) -> PredictResponse:
        self.got.append(list(request.inputs["inputs"].string_val))
        response = super().Predict(request, context)
        settings = self.settings[min(self.calls, len(self.settings)) - 1]
        if settings != DEFAULT:
            text = [settings.encoded()] * len(self.got[-1])
            response.outputs[OUTPUT].CopyFrom(tf.make_tensor_proto(text, tf.string))
        return response


SETTINGS = PictureSettings((0, 0, 0), (0, 4095))


def asked(address: str, *batches: list[bytes]) -> None:
    with Client(address) as client:
        for batch in batches:
            assert len(client.classify(batch)) == len(batch)


def asked_async(address: str, *batches: list[bytes]) -> None:
    async def ask() -> None:
        async with AsyncClient(address) as client:
            for batch in batches:
                assert len(await client.classify(batch)) == len(batch)

    asyncio.run(ask())


CLIENTS = pytest.mark.parametrize("ask", [asked, asked_async])


@CLIENTS
def test_pictures_are_made_anew_as_the_model_says_and_then_at_once(
    ask: Callable[..., None],
) -> None:
    servicer = Particular(SETTINGS)
    with served(servicer) as address:
        ask(address, [png(), TWELVE, TRANSPARENT], [TWELVE])
    wanted = [canonical(data, settings=SETTINGS).encoded for data in (png(), TWELVE, TRANSPARENT)]
    assert servicer.got[1:] == [wanted, wanted[1:2]]
    assert np.asarray(Image.open(io.BytesIO(wanted[1]))).max() == 255


@CLIENTS
def test_pictures_on_which_the_settings_have_no_say_are_sent_once(
    ask: Callable[..., None],
) -> None:
    servicer = Particular(SETTINGS)
    with served(servicer) as address:
        ask(address, [png(), encode(colours(), "JPEG")])
    assert servicer.calls == 1


@CLIENTS
def test_a_new_version_with_other_settings_is_noticed(ask: Callable[..., None]) -> None:
    servicer = Particular(DEFAULT, SETTINGS)
    with served(servicer) as address:
        ask(address, [TWELVE], [TWELVE])
    assert servicer.got[-1] == [canonical(TWELVE, settings=SETTINGS).encoded]


@CLIENTS
def test_versions_that_take_turns_do_not_make_it_ask_forever(ask: Callable[..., None]) -> None:
    servicer = Particular(*[SETTINGS, DEFAULT] * 50)
    with served(servicer) as address:
        ask(address, [TWELVE])
    assert servicer.calls <= 3
