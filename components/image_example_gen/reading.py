"""Reads pictures' files: what the ingest and the command `check` both do. No TensorFlow."""

from __future__ import annotations

import collections
import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from components.files import waiting
from components.files.paths import is_remote
from components.files.pictures import read_picture
from components.image_example_gen import changes, quality, sources
from components.image_example_gen.corrected import BY, OUT, corrected
from components.image_example_gen.difference_hash import difference_hash
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.verdicts import CONFLICT, Row
from components.settings.data import Data
from serving import picture_files, pictures
from serving.names import quoted, shown
from serving.picture_measures import small_grey
from serving.picture_settings import DEFAULT, PictureSettings
from serving.pictures import Decode, Picture, PictureError, canonical_and_pixels

_NONE: Mapping[str, str] = {}
_TOGETHER, _BYTES_TOGETHER = 16, 16_000_000
"""Files for each thread that go through each step together, and about the bytes of them."""
_REQUESTS = 16  # at once, of files on other machines
_LARGE = 32_768  # bytes: below it threads wait for Python's lock longer than they gain


@dataclasses.dataclass(frozen=True)
class Accepted:
    """A picture that can be used."""

    picture: Picture
    sha256: str  # of the file's bytes, in hexadecimal


def read(
    file: SourceFile,
    data: Data,
    settings: PictureSettings = DEFAULT,
    decode: Decode = pictures.decode,
    corrections: Mapping[str, str] = _NONE,
) -> tuple[Accepted | None, Row]:
    """Does what `read_all` does, of one file."""
    return next(read_all([file], data, settings, decode, corrections))


def read_all(
    files: Iterable[SourceFile],
    data: Data,
    settings: PictureSettings = DEFAULT,
    decode: Decode = pictures.decode,
    corrections: Mapping[str, str] = _NONE,
    threads: int = 1,
) -> Iterator[tuple[Accepted | None, Row]]:
    """Yields each picture, None if it is rejected or left out, and its row for the ledger.

    Some files go through each step together, whose code then stays in the processor's caches: small
    PNGs are read in three quarters of the time (measured 2026-11-29).

    Args:
      files: the pictures'.
      data: how large they may be.
      settings: how they become canonical.
      decode: decodes those that keep their bytes.
      corrections: labels by path or SHA-256; one by path comes first.
      threads: decode large pictures side by side, outside Python's lock: of 200 kB in three
        quarters of the time on two cores (measured 2026-11-29).
    """
    canonical = functools.partial(
        canonical_and_pixels, max_pixels=data.max_pixels, settings=settings, decode=decode
    )
    with ThreadPoolExecutor(threads) as cores, ThreadPoolExecutor(_REQUESTS) as requests:
        for some in _together(files, threads):
            large = threads > 1 and sum(file.size for file in some) >= _LARGE * len(some)
            work = cores.map if large else map
            wait = requests.map if is_remote(some[0].path) else work
            readings = [_Reading(file, data, corrections, canonical) for file in some]
            for run, step in (
                (wait, _Reading.load),
                (work, _Reading.decode),
                (map, _Reading.identify),
                (map, _Reading.fingerprint),
                (map, _Reading.measure),
            ):
                collections.deque(run(step, readings), maxlen=0)
            yield from ((reading.accepted, reading.row) for reading in readings)


def _together(files: Iterable[SourceFile], threads: int) -> Iterator[list[SourceFile]]:
    """Yields the files in parts that fit into memory."""
    some, size = list[SourceFile](), 0
    for file in files:
        some.append(file)
        size += file.size
        if len(some) == _TOGETHER * threads or size >= _BYTES_TOGETHER * threads:
            yield some
            some, size = [], 0
    if some:
        yield some


class _Reading:
    """A file on its way to a row of the ledger; what it is left out for ends it."""

    def __init__(
        self,
        file: SourceFile,
        data: Data,
        corrections: Mapping[str, str],
        canonical: Callable[[bytes], tuple[Picture, Image.Image]],
    ):
        self._file = file
        self._data = data
        self._corrections = corrections
        self._canonical = canonical
        known = {"file": file.name, "label": file.label, "split": file.split, "group": file.group}
        row = {key: value for key, value in known.items() if value}
        self.row = corrected(row, corrections, file.name, file.path)
        self.accepted: Accepted | None = None
        self._content: bytes | None = None  # while it is of use
        self._grey: Image.Image | None = None

    def load(self) -> None:
        """Reads the bytes."""
        if OUT in self.row:
            return
        try:
            self._content = waiting.read(self._file.path, lambda: _content(self._file, self._data))
        except OSError as error:
            self._reject(f"can't be read: {shown(error.strerror or error)}")
        except PictureError as error:
            self._reject(str(error))

    def decode(self) -> None:
        """Makes the picture canonical, and keeps some of its pixels."""
        if self._content is None:
            return
        try:
            picture, pixels = self._canonical(self._content)
        except PictureError as error:
            self._reject(str(error))
            return
        self.accepted = Accepted(picture, hashlib.sha256(self._content).hexdigest())
        self._grey = small_grey(pixels)

    def identify(self) -> None:
        """Looks for the picture in the corrections, and whether its labels are one."""
        if self.accepted is None:
            return
        if BY not in self.row:
            self.row = corrected(self.row, self._corrections, self.accepted.sha256)
            if OUT in self.row:
                self.accepted = None
                return
        labels = (self._file.label, *self._file.other_labels)
        if len(labels) > 1 and BY not in self.row:
            told = " and ".join(map(quoted, labels))
            self._reject(f"{CONFLICT}: {shown(self._file.name)} is labelled {told}")

    def fingerprint(self) -> None:
        """Adds by what the picture is known again."""
        if self.accepted and self._grey:
            self.row["sha256"] = self.accepted.sha256
            self.row["difference_hash"] = difference_hash(self._grey)

    def measure(self) -> None:
        """Adds what the picture is like."""
        if self.accepted and self._grey and self._content:
            picture = self.accepted.picture
            size = picture.width, picture.height
            self.row |= quality.row_of(self._grey, size, len(self._content))
            self.row |= changes.row_of(picture)

    def _reject(self, reason: str) -> None:
        self.row["reason"] = reason
        self.accepted = self._content = None


def measure(file: SourceFile, data: Data) -> Row:
    """Returns the lowest and the highest value of a 16-bit picture, as its row in the ledger has.

    {} for others, also for a file that is no picture: reading it says so.
    """
    try:
        content = waiting.read(file.path, lambda: _content(file, data))
        found = pictures.values(content, max_pixels=data.max_pixels)
    except (OSError, PictureError):
        return {}
    return changes.values_row(found)


def _content(file: SourceFile, data: Data) -> bytes:
    large = file.size > picture_files.READ_AT_ONCE and file.record is None
    return read_picture(file.path, data.max_pixels) if large else sources.content(file)
