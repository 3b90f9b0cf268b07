from __future__ import annotations

import pydantic
import pytest

from components.settings.data import Data
from components.settings.ingest import Ingest
from components.settings.model import Image
from serving.picture_settings import DEFAULT, LEAST_SIDE, PictureSettings

DATA = Data(source="/x")


def test_the_defaults_are_those_of_a_client_that_knows_nothing() -> None:
    assert Ingest.of(DATA).pictures() == Ingest.of(DATA, Image()).pictures() == DEFAULT


def test_the_step_reads_settings_without_those_of_pictures() -> None:
    assert Ingest.model_validate_json(DATA.model_dump_json()) == Ingest.of(DATA)


def test_the_ranges_of_16_bit() -> None:
    def range_of(image: Image, measured: tuple[int, int] | None = None) -> object:
        return Ingest.of(DATA, image).pictures(measured).range

    assert range_of(Image(range="type"), (1, 2)) is None
    assert range_of(Image(range=[0, 4095]), (1, 2)) == (0, 4095)
    assert range_of(Image(range="data"), (3, 900)) == (3, 900)
    assert range_of(Image(range="data")) is None  # no picture has 16 bit


@pytest.mark.parametrize(
    "range", ["auto", 12, [4095], [0, 1, 2], [5, 5], [-1, 9], [0, 65536], [0.0, 1.0]]
)
def test_other_ranges_are_refused(range: object) -> None:
    with pytest.raises(pydantic.ValidationError, match=r"type, data or \[low, high\] is needed"):
        Image(range=range)


def test_backgrounds_are_colours() -> None:
    settings = [Ingest.of(DATA, Image(background=name)) for name in ("black", "#0a14ff")]
    assert [one.pictures().background for one in settings] == [(0, 0, 0), (10, 20, 255)]
    for name in ("blueish", "#12", "#ff00ff80", "#ff 0ff", "#+1-2+3", ""):
        with pytest.raises(pydantic.ValidationError, match="a colour's name"):
            Image(background=name)


def test_photographs_keep_what_a_large_network_reads() -> None:
    assert Ingest.of(DATA, Image(size=[299, 299])).pictures() == DEFAULT
    large = Ingest.of(DATA, Image(size=[768, 1024])).pictures()
    assert large == PictureSettings(least_side=1024) != PictureSettings(least_side=LEAST_SIDE)
