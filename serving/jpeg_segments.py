"""The segments of a JPEG: where its picture ends, and whether its scans hold all of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # in a scan, the others are part of it
_SCAN, _END = 0xDA, 0xD9
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2  # Huffman-coded frames, which every decoder has
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_BETWEEN_SCANS = {0xC4, _SCAN, 0xDB, 0xDC, 0xDD}  # tables, the next scan, number of lines
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_INTERVAL = 0xDD  # how many units lie between restart markers
_COEFFICIENTS = 64


@dataclass(frozen=True)
class Jpeg:
    """The segments of the first picture in a file."""

    end: int  # of its data: where the end marker stands
    frame: int  # kind of frame: the marker
    components: bytes  # their ids
    sampling: bytes  # their factors, horizontal and vertical, four bits each
    scans: list[bytes]  # their headers
    plain: bool  # nothing but tables between scans, and one frame of a common kind
    has_its_restarts: bool = True
    """Whether the restart markers of the one scan are all there, in their order.

    A decoder goes on at the next of them, wherever it has lost count, and paints the rest over.
    """
    has_intervals: bool = False
    """Whether restart markers stand between its units."""

    @property
    def is_one_scan(self) -> bool:
        """Whether the one scan holds all components: decoders then need no end marker."""
        return (
            self.frame in _SEQUENTIAL
            and len(self.scans) == 1
            and self.scans[0][:1] == bytes([len(self.components)])
        )

    @property
    def is_ordinary(self) -> bool:
        """Whether cameras and programs write such: grey, or colour of half or whole resolution."""
        brightness, colours = self.sampling[:1], {*self.sampling[1:]}
        return (
            self.plain
            and self.is_one_scan
            and brightness in (b"\x11", b"\x21", b"\x12", b"\x22")
            and (len(self.components), colours) in ((1, set()), (3, {0x11}))
        )

    @property
    def is_complete(self) -> bool:
        """Whether the scans hold each component's coefficients to their last bit."""
        missing = {(part, at) for part in self.components for at in range(_COEFFICIENTS)}
        for scan in self.scans:
            count = scan[0] if scan else 0
            if len(scan) < 2 * count + 4:
                return False
            first, last, precision = scan[2 * count + 1 : 2 * count + 4]
            if precision & 15 == 0:  # down to the lowest bit
                parts = scan[1 : 2 * count + 1 : 2]
                missing -= {(part, at) for part in parts for at in range(first, last + 1)}
        return not missing


def read(data: bytes) -> Jpeg | None:
    """Returns the segments, as they lead over the scans to the end by their own lengths.

    None where they do not: one that damage brought about in a scan may lead past the end.
    """
    at, frame, header, plain, interval = 2, 0, b"", True, 0
    scans: list[bytes] = []
    while marker := _MARKER.search(data, at):
        kind, start = data[marker.end() - 1], marker.end()
        if kind == _END:
            known = frame in (*_SEQUENTIAL, _PROGRESSIVE)
            components, sampling = header[6::3], header[7::3]
            restarts = not interval or _restarts(data, at, marker.start()) == (
                _expected(header, interval)
            )
            return Jpeg(
                marker.start(), frame, components, sampling, scans, plain and known, restarts,
                bool(interval),
            )  # fmt: skip
        at = start + int.from_bytes(data[start : start + 2], "big")
        if scans and kind not in _BETWEEN_SCANS:
            plain = False
        if kind == _SCAN:
            scans.append(data[start + 2 : at])
        elif kind == _INTERVAL:
            interval = int.from_bytes(data[start + 2 : at], "big")
        elif kind in _FRAMES:
            plain = plain and not frame
            frame, header = kind, data[start + 2 : at]
    return None


def _restarts(data: bytes, start: int, end: int) -> bytes:
    """Returns the low bytes of the restart markers of a scan."""
    return b"".join(_RESTART.findall(data, start, end))[1::2]


def _expected(header: bytes, interval: int) -> bytes:
    """Returns what `_restarts` finds in the one scan of a whole picture.

    Args:
        header: of the frame.
        interval: units between two restart markers: blocks of a grey picture, else of as many
            blocks as the finest component needs.
    """
    height, width = (int.from_bytes(header[at : at + 2], "big") for at in (1, 3))
    across, down = 1, 1
    if len(header) > 9:
        across = max(factors >> 4 for factors in header[7::3])
        down = max(factors & 15 for factors in header[7::3])
    units = -(-width // (8 * across or 1)) * -(-height // (8 * down or 1))
    count = max(0, -(-units // interval) - 1)
    return (bytes(range(0xD0, 0xD8)) * (count // 8 + 1))[:count]
