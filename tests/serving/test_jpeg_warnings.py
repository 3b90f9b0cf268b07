"""Damage within scans, by libjpeg's warnings: with simplejpeg where it is installed."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Iterator

import pytest

from serving import jpeg_warnings
from serving.picture_conversion import DAMAGED
from serving.pictures import canonical
from tests.serving.photographs import photograph
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

    def decode_jpeg(*_: object, **__: object) -> None:
        if says:
            raise ValueError(says)

    found = types.ModuleType("simplejpeg")
    found.__spec__ = importlib.util.spec_from_loader("simplejpeg", None)
    found.decode_jpeg = decode_jpeg  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "simplejpeg", found)


@pytest.mark.parametrize("data", [PROGRESSIVE, RESTARTS])
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
        (ONE_SCAN, "Corrupt JPEG data: bad Huffman code"),  # not asked: `load` notices it
    ],
)
def test_other_words_and_none_leave_the_bytes(
    data: bytes, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch, says)
    assert canonical(data).encoded is data


def test_without_the_library_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert not jpeg_warnings.tell_of_damage(PROGRESSIVE, (320, 240))


if importlib.util.find_spec("simplejpeg"):  # the extra `jpeg`

    def test_damage_within_a_progressive_scan_is_told_and_whole_files_are_not() -> None:
        for whole in (PROGRESSIVE, RESTARTS):
            assert canonical(whole).encoded is whole
            damaged = bytearray(whole)
            for at in range(len(whole) // 2, len(whole) - 200, 97):
                damaged[at] ^= 0x5A if damaged[at] ^ 0x5A not in (0, 0xFF) else 1
            assert DAMAGED in canonical(bytes(damaged)).done
