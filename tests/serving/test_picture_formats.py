from __future__ import annotations

import base64
import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from serving.picture_files import read_picture
from serving.picture_formats import SUFFIXES, UNREAD, kind_of, readable
from serving.pictures import MAX_PIXELS, PictureError, canonical
from tests.serving.photographs import opened, photograph
from tests.serving.samples import encode, jpeg, png

HEIC = b"\0\0\0\x18ftypheic" + bytes(50)
GRADIENT_HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAA"
    "AAAAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABoQABAAAAAAAAADIAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAAB"
    "AABodmMxAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADdaXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADw"
    "NgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq5Ka5uAhoMCAA"
    "AAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xhcA"
    "AAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWB"
    "AgMFhAAAADptZGF0AAAALigBrxOA9sbPEMb2IzwG8Rg3rvGZVkVPGEaXOyW2JbOH8IfekqHlqchK+oGxSMA="
)
"""64 x 48 pixels, from black at the top to white: pi-heif can't write what it reads."""
AVIF = b"\0\0\0\x1cftypavif" + bytes(50)


def refusal(data: bytes) -> str:
    with pytest.raises(PictureError) as refused:
        canonical(data)
    return str(refused.value)


@pytest.mark.parametrize(("suffix", "format"), [(".avif", "AVIF"), (".jp2", "JPEG2000")])
def test_what_pillow_reads_is_read(suffix: str, format: str) -> None:
    if suffix not in SUFFIXES:
        pytest.skip(f"this Pillow has no {format}")
    image = photograph()
    picture = canonical(encode(image, format))
    assert picture.format == "jpeg"
    change = np.abs(np.asarray(opened(picture.encoded)).astype(int) - np.asarray(image))
    assert change.mean() < 20


def test_heic_is_read_with_its_extra() -> None:
    assert ".heic" in SUFFIXES
    canonical(png())
    assert "HEIF" in readable()
    found = np.asarray(opened(canonical(GRADIENT_HEIC).encoded).convert("L")).astype(int)
    assert found.shape == (48, 64)
    assert (found[0].mean() < 10) and (found[-1].mean() > 245)


def test_heic_without_its_extra_is_named_with_what_to_do() -> None:
    script = f"""
import sys
sys.modules["pi_heif"] = None  # as if it were not installed
from serving.picture_formats import UNREAD
from serving.pictures import PictureError, canonical
assert ".heic" in UNREAD
try:
    canonical({HEIC!r})
except PictureError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "HEIC" in done.stdout and "transfer-pipeline[heif]" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\x0a" + bytes(50), "JPEG XL"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "JPEG XL"),
        (b"8BPS" + bytes(50), "Photoshop"),
        (b"%PDF-1.7", "PDF"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\0\0\0\x18ftypmp42" + bytes(50), "a video"),
    ],
)
def test_what_is_not_read_is_named_as_what_it_is(data: bytes, kind: str) -> None:
    assert kind in refusal(data)
    assert refusal(data).startswith("not a picture")


def test_a_damaged_avif_is_refused_and_named() -> None:
    assert canonical_reason(AVIF) in ("not a picture", "truncated or damaged")
    assert kind_of(AVIF) is not None


def canonical_reason(data: bytes) -> str:
    return refusal(data).partition(":")[0]


def test_no_suffix_is_read_and_not_read() -> None:
    assert not SUFFIXES & UNREAD.keys()
    assert {".jpg", ".png", ".tif"} <= SUFFIXES
    assert ".jxl" in UNREAD


class Endless(io.RawIOBase):
    """A file of 3 GB that begins as told, and counts what is read of it."""

    def __init__(self, start: bytes) -> None:
        self.start, self.at, self.most = start, 0, 0

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset if whence == 0 else 3 * 2**30
        return self.at

    def tell(self) -> int:
        return self.at

    def read(self, size: int = -1) -> bytes:
        size = 3 * 2**30 - self.at if size < 0 else size
        assert size <= 2**28, "read whole"
        found = self.start[self.at : self.at + size]
        self.at += size
        self.most = max(self.most, self.at)
        return found + bytes(size - len(found))


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        (b"", "not a picture"),
        (b"\0\0\0\x18ftypmp42", "not a picture: a video"),
        (jpeg(), "too many bytes"),
        (encode(Image.new("1", (9000, 9000)), "PNG"), "too many pixels"),
    ],
)
def test_of_a_large_file_the_header_is_looked_at_first(start: bytes, reason: str) -> None:
    file = Endless(start)
    with pytest.raises(PictureError) as refused:
        read_picture(file, MAX_PIXELS)  # type: ignore[arg-type]
    assert str(refused.value).startswith(reason)
    assert file.most < 2**27


def test_a_large_picture_is_read() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2500, 2500, 3), np.uint8)
    data = encode(Image.fromarray(noise), "BMP")
    assert len(data) > 16 * 2**20
    assert read_picture(io.BytesIO(data), MAX_PIXELS) == data
