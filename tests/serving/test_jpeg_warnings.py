"""Damage within scans, by libjpeg's warnings: with simplejpeg where it is installed."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Iterator

import numpy as np
import pytest

from serving import jpeg_warnings
from serving.picture_conversion import DAMAGED
from serving.pictures import canonical, canonical_and_pixels
from tests.serving.photographs import opened, photograph
from tests.serving.samples import encode

PROGRESSIVE = encode(photograph(), "JPEG", quality=85, progressive=True)
RESTARTS = encode(photograph(), "JPEG", quality=85, restart_marker_blocks=5)
ONE_SCAN = encode(photograph(), "JPEG", quality=85)


@pytest.fixture(autouse=True)
def asked_anew() -> Iterator[None]:
    """No test's library is the next one's."""
    jpeg_warnings._simplejpeg.cache_clear()
    yield
    jpeg_warnings._simplejpeg.cache_clear()


def install(monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    """Puts a library in place that says this of every picture; nothing without words."""

    def decode_jpeg(*_: object, **__: object) -> np.ndarray:
        if says:
            raise ValueError(says)
        return np.full((30, 40, 3), 7, np.uint8)

    found = types.ModuleType("simplejpeg")
    found.__spec__ = importlib.util.spec_from_loader("simplejpeg", None)
    found.decode_jpeg = decode_jpeg  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "simplejpeg", found)


@pytest.mark.parametrize("data", [PROGRESSIVE, RESTARTS, ONE_SCAN])
def test_what_libjpeg_warns_of_is_encoded_anew(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, "Corrupt JPEG data: bad Huffman code")
    picture = canonical(data)
    assert picture.done == (DAMAGED,) and picture.encoded != data


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (PROGRESSIVE, ""),
        (RESTARTS, ""),
        (PROGRESSIVE, "Unsupported color conversion request"),
        (ONE_SCAN, ""),
        (ONE_SCAN, "Corrupt JPEG data: 60 extraneous bytes before marker 0xd9"),  # `load` looks
    ],
)
def test_other_words_and_none_leave_the_bytes(
    data: bytes, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, says)
    assert canonical(data).encoded is data


def test_where_nothing_is_warned_of_the_pixels_are_the_library_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So a photograph is decoded once."""
    install(monkeypatch, "")
    _, pixels = canonical_and_pixels(ONE_SCAN)
    assert (pixels.size, pixels.getextrema()) == ((40, 30), ((7, 7),) * 3)


def test_without_the_library_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert jpeg_warnings.decode(PROGRESSIVE, (320, 240), "RGB") == (None, "")


if importlib.util.find_spec("simplejpeg"):  # the extra `jpeg`

    def test_damage_within_scans_is_told_and_whole_files_are_not() -> None:
        for whole in (PROGRESSIVE, RESTARTS):
            assert canonical(whole).encoded is whole
            damaged = bytearray(whole)
            for at in range(len(whole) // 2, len(whole) - 200, 97):
                damaged[at] ^= 0x5A if damaged[at] ^ 0x5A not in (0, 0xFF) else 1
            assert DAMAGED in canonical(bytes(damaged)).done

    def test_data_that_end_within_the_last_blocks_are_told_of() -> None:
        """Which `load` fills without noticing."""
        grey = encode(photograph(160, 120, grey=True), "JPEG", quality=85)
        cut = grey[:-4] + grey[-2:]
        assert canonical(grey).encoded is grey
        assert canonical(cut).done == (DAMAGED,)

    @pytest.mark.parametrize("grey", [False, True])
    def test_an_eighth_is_pillow_s(grey: bool) -> None:
        data = encode(photograph(333, 251, grey=grey), "JPEG", quality=85)
        heard = jpeg_warnings.decode(data, (333, 251), "L" if grey else "RGB")
        by_pillow = opened(data)
        by_pillow.draft(None, (333 // 8, 251 // 8))
        assert heard.image is not None
        assert np.array_equal(np.asarray(heard.image), np.asarray(by_pillow))
