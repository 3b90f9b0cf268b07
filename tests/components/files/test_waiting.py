"""A file's own fault is told at once; a file system that is down is asked again, then ends it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

import pytest

from components import files as file_systems
from components.errors import DataError
from components.files import waiting
from components.files.waiting import SourceUnavailable
from components.image_example_gen import reading, sources
from components.image_example_gen.sources import SourceFile
from components.settings.data import Data
from tests.components.image_example_gen.memory_files import MemoryFiles
from tests.explains import refused


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The waits that were made, without the waiting."""
    made: list[float] = []
    monkeypatch.setattr("time.sleep", made.append)
    yield made
    MemoryFiles.clear()


class Answers:
    """Raises these errors one after another, then reads."""

    def __init__(self, *errors: Exception):
        self._errors = list(errors)

    def __call__(self, *_: object) -> bytes:
        if self._errors:
            raise self._errors.pop(0)
        return b"content"


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number), "/mnt/pictures/1.png")


@pytest.mark.parametrize("number", [errno.ENOENT, errno.EACCES, errno.EINVAL])
def test_a_file_s_own_fault_is_told_at_once(number: int, waits: list[float]) -> None:
    with pytest.raises(OSError, match="/mnt/pictures/1.png"):
        waiting.read("/mnt/pictures/1.png", Answers(_error(number)))
    assert not waits


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT])
def test_a_mount_that_comes_back_was_never_gone(number: int, waits: list[float]) -> None:
    answers = Answers(_error(number), _error(number))
    assert waiting.read("/mnt/pictures/1.png", answers) == b"content"
    assert len(waits) == 2


def test_a_mount_that_stays_gone_ends_the_ingest_and_rejects_no_picture(
    monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    def gone(_: object) -> bytes:
        raise _error(errno.ENOTCONN)

    monkeypatch.setattr(sources, "content", gone)
    with refused(
        SourceUnavailable,
        found="/mnt/pictures/1.png can't be read .*endpoint.*after 8 s of attempts",
        allowed="Is the file system mounted and reached.*Nothing was lost",
        next="once it answers, the same command goes on",
    ):
        reading.read(
            SourceFile("/mnt/pictures/1.png", "1.png", "cats", 1, 1), Data(source="/mnt/pictures")
        )
    assert len(waits) == 4


def test_a_remote_file_that_is_there_and_can_t_be_read_ends_it_too() -> None:
    MemoryFiles.content["mem://b/1.png"] = b"picture"
    MemoryFiles.broken.add("mem://b/1.png")
    with refused(
        SourceUnavailable,
        found="mem://b/1.png.*connection lost",
        allowed="mounted and reached",
        next="remove it",
    ):
        waiting.read("mem://b/1.png", lambda: file_systems.read_bytes("mem://b/1.png"))
    with pytest.raises(OSError, match="no mem://b/2.png"):
        waiting.read("mem://b/2.png", lambda: file_systems.read_bytes("mem://b/2.png"))


def test_a_store_is_listed_again_before_it_is_given_up(
    monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    MemoryFiles.content["mem://b/1.png"] = b"picture"
    listing, answers = MemoryFiles._list, Answers(ConnectionError("down"), ConnectionError("down"))

    def sometimes(self: MemoryFiles, prefix: str) -> Iterator[object]:
        answers()
        return listing(self, prefix)

    monkeypatch.setattr(MemoryFiles, "_list", sometimes)
    assert file_systems.view("mem://b").names("mem://b") == ["1.png"]
    assert len(waits) == 2
    monkeypatch.setattr(MemoryFiles, "_list", Answers(*[ConnectionError("down")] * 5))
    with refused(
        DataError,
        found="mem://b can't be listed",
        allowed="down",
        next="Check the path and its access",
    ):
        file_systems.view("mem://b")
