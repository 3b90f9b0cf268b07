from __future__ import annotations

import hashlib
import io
import logging
import os
import stat
import time
from pathlib import Path

import pytest
from PIL import Image

from components.artifacts.tfrecords import records
from serving.recording.framing import crc32c
from serving.recording.record import Record
from serving.recording.recorder import PATTERN, Recorder
from serving.recording.settings import Recording


def picture(at: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20 + at % 7, 16), (at % 256, 100, 200)).save(file, "PNG")
    return file.getvalue()


def keep(recorder: Recorder, at: int, **more: object) -> None:
    classes = [f"c{index}" for index in range(8)]
    words = {"model": "pets", "version": 7, **more}
    recorder.keep(picture(at), classes, [0.5, 0.3, *[0.02] * 6], **words)  # type: ignore[arg-type]


def read(folder: Path) -> list[Record]:
    found = []
    for path in sorted(folder.glob(PATTERN)):
        with path.open("rb") as file:
            found += [Record.decoded(each.data) for each in records(file)]
    return found


def test_the_checksum_is_castagnolis() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720, B.4, and every catalogue of CRCs


def test_a_record_says_which_picture_which_version_and_what_it_looks_like(tmp_path: Path) -> None:
    recorder = Recorder(Recording(tmp_path / "kept", every=1, thumbnail=8))
    before = int(1000 * time.time())
    keep(recorder, 3, certain=True, distance=2.5, source=b"the file")
    [found] = read(tmp_path / "kept")
    assert found.sha256 == hashlib.sha256(b"the file").hexdigest()
    assert found.sent_sha256 == hashlib.sha256(picture(3)).hexdigest()
    assert (found.model, found.version, found.certain, found.distance) == ("pets", 7, 1, 2.5)
    assert found.classes == ("c0", "c1", "c2", "c3", "c4") and found.scores[0] == 0.5
    assert (found.width, found.height, found.contrast) == (23, 16, 0.0)
    assert Image.open(io.BytesIO(found.thumbnail)).size == (8, 6)
    assert before <= found.milliseconds <= 1000 * time.time()


def test_without_thumbnails_no_pixels_are_kept_and_files_are_the_owners_alone(
    tmp_path: Path,
) -> None:
    keep(Recorder(Recording(tmp_path / "kept", every=1)), 3)
    [found] = read(tmp_path / "kept")
    assert found.thumbnail == b"" and found.certain is None and found.distance is None
    [path] = (tmp_path / "kept").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_two_sides_keep_the_same_one_in_n(tmp_path: Path) -> None:
    for side in ("client", "server"):
        recorder = Recorder(Recording(tmp_path / side, every=4))
        for at in range(256):
            keep(recorder, at)
    kept = [{each.sent_sha256 for each in read(tmp_path / side)} for side in ("client", "server")]
    assert kept[0] == kept[1] and 40 < len(kept[0]) < 90


def test_files_are_bounded_in_size_and_the_oldest_go(tmp_path: Path) -> None:
    recorder = Recorder(Recording(tmp_path, every=1, file_bytes=2_000, max_bytes=7_000))
    for at in range(100):
        keep(recorder, at)
    files = sorted(tmp_path.glob(PATTERN), key=lambda path: path.stat().st_mtime_ns)
    assert len(files) > 1 and sum(path.stat().st_size for path in files) <= 7_000
    assert all(path.stat().st_size <= 2_000 for path in files)
    kept = [each.sent_sha256 for each in read(tmp_path)]
    last, first = (hashlib.sha256(picture(at)).hexdigest() for at in (99, 0))
    assert last in kept and first not in kept


def test_files_beyond_the_age_go_with_the_next_file(tmp_path: Path) -> None:
    old, young = (tmp_path / PATTERN.replace("*", name) for name in ("old", "young"))
    for path, days in ((old, 4), (young, 2)):
        path.touch()
        os.utime(path, (time.time() - days * 86_400,) * 2)
    foreign = tmp_path / "notes.txt"
    foreign.touch()
    os.utime(foreign, (0, 0))
    keep(Recorder(Recording(tmp_path, every=1, max_days=3)), 1)
    assert not old.exists() and young.exists() and foreign.exists()


def test_a_folder_that_cannot_be_written_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    recorder = Recorder(Recording(tmp_path / "file" / "kept", every=1))
    with caplog.at_level(logging.WARNING):
        for at in range(3):
            keep(recorder, at)
    assert len(caplog.records) == 1 and "not recorded" in caplog.text


def test_a_limit_under_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="every=0"):
        Recording(tmp_path, every=0)


def test_what_is_no_record_is_told() -> None:
    with pytest.raises(ValueError, match="no record"):
        Record.decoded(b"\xff\xff")
