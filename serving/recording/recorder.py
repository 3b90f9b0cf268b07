"""Keeps one in N pictures with their predictions, in files that several processes may write."""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from serving.picture_measures import measured, small_grey
from serving.recording.framing import framed
from serving.recording.record import MOST_CLASSES, Record
from serving.recording.settings import Recording

PATTERN = "served-*.tfrecord"
_DAY = 86_400.0  # seconds


class Recorder:
    """Writes records into files of its own; thread-safe. It never fails a request.

    Args:
        settings: where, how many, how large.
    """

    def __init__(self, settings: Recording) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._began = 0.0
        self._said = False

    def keep(
        self,
        sent: bytes,
        classes: Sequence[str],
        scores: Sequence[float],
        *,
        model: str,
        version: int,
        certain: bool | None = None,
        distance: float | None = None,
        source: bytes = b"",
    ) -> None:
        """Keeps a picture's record if it is one in N; a fault is logged once, and not raised.

        Args:
            sent: the canonical picture.
            classes: the best first, with their `scores`.
            model: its name on the server; `version`: that answered.
            certain: whether the model is; None where it does not tell.
            distance: to the training features; None likewise.
            source: the file's bytes, where they are known.
        """
        try:
            digest = hashlib.sha256(sent).digest()
            if int.from_bytes(digest[:8], "big") % self.settings.every:
                return
            record = Record(
                sha256=hashlib.sha256(source or sent).hexdigest(),
                sent_sha256=digest.hex(),
                milliseconds=int(1000 * time.time()),
                model=model,
                version=version,
                classes=tuple(classes[:MOST_CLASSES]),
                scores=tuple(map(float, scores[:MOST_CLASSES])),
                certain=None if certain is None else int(certain),
                distance=distance,
                **_looked_at(sent, self.settings.thumbnail),
            )
            with self._lock:
                self._write(framed(record.encoded()))
        except Exception as error:  # a full disk, a folder that is gone: the answer comes first
            if not self._said:
                logging.warning(
                    "Pictures are not recorded in %s: %s (said once)",
                    self.settings.directory, error,
                )  # fmt: skip
            self._said = True

    def _write(self, data: bytes) -> None:
        """Appends by one call, so that a killed process leaves whole records."""
        if self._path is None or self._is_full(self._path, len(data)):
            self._begin(len(data))
        assert self._path is not None
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        file = os.open(self._path, flags, 0o600)
        try:
            if os.write(file, data) < len(data):
                self._path = None  # what follows a cut record could not be read
                raise OSError("no space is left")
        finally:
            os.close(file)

    def _is_full(self, path: Path, more: int) -> bool:
        if time.time() - self._began > _DAY:
            return True
        try:
            return path.stat().st_size + more > self.settings.file_bytes
        except FileNotFoundError:  # somebody has tidied up
            return True

    def _begin(self, size: int) -> None:
        folder = self.settings.directory
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._began = time.time()
        when = time.strftime("%Y%m%dT%H%M%S", time.gmtime(self._began))
        self._path = folder / PATTERN.replace("*", f"{when}-{uuid.uuid4().hex[:8]}")
        self._remove_old(max(self.settings.file_bytes, size))

    def _remove_old(self, room: int) -> None:
        """Removes files that are too old, and the oldest until `room` bytes more are within."""
        found = []
        for path in self.settings.directory.glob(PATTERN):
            with contextlib.suppress(FileNotFoundError):  # by another process
                facts = path.stat()
                found.append((facts.st_mtime, facts.st_size, path))
        total = room
        oldest = self._began - self.settings.max_days * _DAY
        for modified, size, path in sorted(found, reverse=True):
            total += size
            if modified < oldest or total > self.settings.max_bytes:
                path.unlink(missing_ok=True)


def _looked_at(sent: bytes, thumbnail: int) -> dict[str, Any]:
    """Returns the measures of a canonical picture, and its thumbnail where asked for."""
    with Image.open(io.BytesIO(sent)) as image:
        width, height = image.size
        brightness, contrast, sharpness = measured(small_grey(image))
        small = b""
        if thumbnail:
            reduced = image.convert("RGB")
            reduced.thumbnail((thumbnail, thumbnail))
            file = io.BytesIO()
            reduced.save(file, "JPEG", quality=82)
            small = file.getvalue()
    return {
        "brightness": brightness,
        "contrast": contrast,
        "sharpness": sharpness,
        "width": width,
        "height": height,
        "thumbnail": small,
    }
