"""A folder of whole and damaged files of every format, the same for the same seed."""

from __future__ import annotations

import os
import random
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from tests.serving.samples import encode, png
from tests.serving.test_pictures import KEPT, REENCODED

WHOLE: dict[str, bytes] = {name: sample[0] for name, sample in KEPT.items()} | REENCODED
"""By name, which begins with the format: pictures that can be used."""

_CUTS = (1, 11, 40, 0.3, 0.6, 0.9, -1)  # bytes, fractions, and from the end
_FLIPS = 5  # files with one bit turned, per picture
_DAMAGED_BYTES = 20


def make(folder: Path, seed: int = 0) -> Path:
    """Writes `folder/<class>/<file>`, with files that are to be ignored among them."""
    rng = random.Random(seed)
    for number, (name, content) in enumerate(WHOLE.items()):
        label = folder / ("left" if number % 2 else "right")
        label.mkdir(parents=True, exist_ok=True)
        suffix = name.split()[0]
        stem = name.replace(" ", "-")
        (label / f"{stem}.{suffix}").write_bytes(content)
        (label / f"{stem}-wrong-suffix.{'png' if suffix != 'png' else 'JPG'}").write_bytes(content)
        for kind, damaged in _damaged(content, rng):
            (label / f"{stem}-{kind}.{suffix}").write_bytes(damaged)
    _write_absurd(folder / "left")
    _write_ignored(folder)
    return folder


def _damaged(content: bytes, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    for cut in _CUTS:
        end = cut if isinstance(cut, int) else round(cut * len(content))
        yield f"cut-{cut}", content[:end]
    for number in range(_FLIPS):
        at = rng.randrange(len(content))
        flipped = content[at] ^ 1 << rng.randrange(8)
        yield f"flip-{number}", content[:at] + bytes([flipped]) + content[at + 1 :]
    noise = bytearray(content)
    for _ in range(_DAMAGED_BYTES):
        noise[rng.randrange(8, len(noise))] = rng.randrange(256)
    yield "noise", bytes(noise)
    half = len(content) // 2
    yield "zeros", content[:half] + bytes(len(content) - half)
    yield "tail", content + b"more"
    yield from _damaged_inside(content, rng)


def _damaged_inside(content: bytes, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Files whose headers are whole, and that end as they should."""
    if content.startswith(b"\xff\xd8"):
        yield "cut-and-ended", content[: len(content) * 2 // 3] + b"\xff\xd9"
    if content.startswith(b"\x89PNG"):
        header = content[8:33]
        yield "two-headers", content[:33] + header + content[33:]
        palette = content.find(b"PLTE")
        if palette > 0:
            length = int.from_bytes(content[palette - 4 : palette], "big")
            again = content[palette - 4 : palette + 8 + length]
            yield "two-palettes", content[:-12] + again + content[-12:]
    for number in range(5 if content.startswith((b"GIF", b"\xff\xd8")) else 0):
        noise = bytearray(content)
        for _ in range(4):
            noise[rng.randrange(len(noise) * 2 // 3, len(noise) - 2)] = rng.randrange(255)
        yield f"inside-{number}", bytes(noise)


def _write_absurd(folder: Path) -> None:
    for suffix in ("jpg", "png", "gif", "bmp", "webp", "tif"):
        (folder / f"empty.{suffix}").touch()
        (folder / f"text.{suffix}").write_text("<html>404 Not Found</html>")
        (folder / f"zeros.{suffix}").write_bytes(bytes(1000))
    (folder / "flat.png").write_bytes(png(Image.new("L", (10_000, 1))))
    (folder / "high.jpg").write_bytes(encode(Image.new("L", (1, 10_000)), "JPEG"))
    (folder / "bomb.png").write_bytes(bomb_png(50_000))
    (folder / "bomb.bmp").write_bytes(
        b"BM"
        + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 60_000, 60_000, 1, 24, 0, 0, 0, 0, 0, 0)
    )
    (folder / "nowhere.png").symlink_to(folder / "gone.png")
    (folder / "itself.png").symlink_to(folder / "itself.png")
    (folder / "line\nbreak \u202e \udce9.png").write_bytes(png(Image.new("L", (5, 5))))
    os.mkfifo(folder / "pipe.png")


def bomb_png(side: int) -> bytes:
    """A PNG of some bytes whose header speaks of `side` x `side` pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    body = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def _write_ignored(folder: Path) -> None:
    (folder / "beside.png").write_bytes(png())
    for name in (".hidden.png", "Thumbs.db", "desktop.ini", "notes.txt", "._copy.jpg", "no-suffix"):
        (folder / "right" / name).write_bytes(b"x")
