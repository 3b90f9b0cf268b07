"""A limit on the size of files (RLIMIT_FSIZE), met at any step of a run: told as what it is.

Unlike a disk of its own it needs no mount.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import made_pictures
from tests.explains import explains
from tests.faults.conftest import Ended, Place

pytestmark = pytest.mark.slow

_SIDE = 150  # pixels of a picture: the split `train` is a larger file than the metadata
_NO_BACKUP = ("--set", "training.unfrozen.epochs=0")  # it would be larger than what is exported

_MEETS = (  # the limit in bytes, what was done before without one, where it is met
    (100_000, None, "Nothing more can be written", "metadata.sqlite"),
    (1_000_000, None, "ImageExampleGen: ", "root"),  # Beam names no file
    (5_000_000, None, "BottleneckGen: ", "BottleneckGen/bottlenecks/"),
    (5_000_000, "BottleneckGen", "Trainer: ", "Trainer/model/"),
    (5_000_000, "Evaluator", "Pusher: ", "served/image-classifier/"),
)


@pytest.fixture
def place(empty: Place, tmp_path: Path) -> Place:
    """A root in which nothing has run, and pictures of some size."""
    pictures = made_pictures.make(tmp_path / "large", 20, side=_SIDE)
    return Place(pictures, empty.root, empty.commands)


def _explained(told: Ended, limit: int, start: str, where: str) -> None:
    assert told.code == 1, told.stderr
    assert told.result["verdict"] == "failed"
    assert "Traceback" not in told.stderr
    error = told.result["error"]
    explains(
        error,
        found=rf"the limit of a file's size is reached, {limit:,} bytes .*{re.escape(where)}",
        allowed=r"about [\d,]+ bytes are needed, [\d,]+ are free",
        next=r"Raise RLIMIT_FSIZE .*`ulimit -f unlimited`.*; the same command then goes on",
    )
    assert error.startswith(start) and "full" not in error and "Make room" not in error
    assert not told.left


def test_a_limit_of_file_sizes_is_told_wherever_it_is_met(place: Place) -> None:
    for limit, before, start, where in _MEETS:
        if before:
            done = place.run("--to", before, *_NO_BACKUP)
            assert done.code == 0, done.stderr
        told = place.run(*_NO_BACKUP, largest_file=limit)
        _explained(told, limit, start, where)
        assert not list(place.commands.temporary.iterdir())
    done = place.run(*_NO_BACKUP)
    assert (done.code, done.result["verdict"]) == (0, "pushed"), done.stderr
