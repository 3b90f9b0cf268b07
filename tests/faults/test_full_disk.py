"""A full disk is found before the work, or ends it in one sentence: where, needed and free."""

from __future__ import annotations

import errno
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.files import space
from components.files.space import DiskFull, Need
from pipeline import config
from pipeline.commands import free_space, preflight, run_config
from tests import made_pictures
from tests.checkout_tools import ROOT
from tests.explains import explains, refused

MB = 1_000_000
ROOM = {"next": r"Make room there, or name a folder on another disk \(.*runtime.root.*\)"}


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the free bytes of every disk."""

    def set_free(size: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=size))

    return set_free


def built(folder: Path) -> config.Config:
    return config.build(
        {
            "data": {"source": str(folder / "pictures")},
            "push": {"directory": str(folder / "served")},
            "runtime": {"root": str(folder / "runs")},
        }
    )


def test_what_goes_to_one_disk_is_added_up(tmp_path: Path, free: Any) -> None:
    needs = [Need("runtime.root", str(tmp_path / "not" / "yet"), 60), Need("b", str(tmp_path), 50)]
    free(110)
    space.check(needs)
    free(109)
    words = f"Too little space in {tmp_path}/not/yet and {tmp_path}: "
    with refused(DiskFull, found=re.escape(words), allowed="110 bytes .*, 109 are free", **ROOM):
        space.check(needs)


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EFBIG, "File too large"),
        RuntimeError("UNKNOWN: /r/x.tfrecord; No space left on device"),
        RuntimeError("INTERNAL: database or disk is full query: INSERT INTO `Execution` VALUES(1)"),
    ],
)
def test_a_full_disk_is_known_behind_any_error(tmp_path: Path, error: Exception) -> None:
    outer = ValueError("the step failed")
    outer.__cause__ = error
    found = str(space.full_disk(outer, [Need("runtime.root", str(tmp_path), 5 * MB)]))
    assert re.search(
        rf"to {tmp_path}: about 5,000,000 bytes are needed, [\d,]+ are free.*runtime.root", found
    )
    assert "INSERT" not in found


def test_the_file_that_was_written_is_named_with_its_own_setting(tmp_path: Path) -> None:
    needs = [Need("runtime.root", str(tmp_path / "r"), 1), Need("TMPDIR", str(tmp_path / "t"), 2)]
    error = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "t" / "model"))
    found = str(space.full_disk(error, needs))
    assert f"to {tmp_path}/t/model: about 2 bytes" in found and "(TMPDIR)" in found


@pytest.mark.parametrize("error", [None, ValueError("x"), FileNotFoundError(errno.ENOENT, "gone")])
def test_other_errors_are_no_full_disk(tmp_path: Path, error: Exception | None) -> None:
    assert space.full_disk(error, [Need("runtime.root", str(tmp_path), 1)]) is None


def test_a_run_needs_its_models_and_once_its_pictures(tmp_path: Path) -> None:
    made_pictures.make(tmp_path / "pictures", 4)
    made = built(tmp_path)
    listing = preflight.check_folders(made)
    pictures = sum(file.size for file in listing.files)
    first = {need.key: need.size for need in free_space.needs(made, listing)}
    assert first["push.directory"] == first["TMPDIR"] == 87_200_000
    assert first["runtime.root"] == 3 * 87_200_000 + pictures
    Path(made.pipeline_root, "ImageExampleGen", "examples").mkdir(parents=True)
    again = {need.key: need.size for need in free_space.needs(made, listing)}
    assert again["runtime.root"] == 3 * 87_200_000


def test_a_run_does_not_start_without_space(tmp_path: Path, free: Any) -> None:
    made_pictures.make(tmp_path / "pictures", 40)
    free(200 * MB)
    enough = r"about [\d,]+ bytes are needed, 200,000,000 are free"
    with refused(DiskFull, found="Too little space in ", allowed=enough, **ROOM):
        run_config.run_config(built(tmp_path))
    assert not (tmp_path / "runs" / "logs").exists()


def test_a_full_root_is_told_where_the_lock_can_not_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "runs" / ".lock"))

    made_pictures.make(tmp_path / "pictures", 40)
    noticed: list[int] = []
    monkeypatch.setattr(run_config, "_alone", full)
    where = r"Nothing more can be written \(it is full\) to .*/runs/.lock: "
    with refused(DiskFull, found=where, allowed="about .* bytes are needed", **ROOM):
        run_config.run_config(built(tmp_path), at_full_disk=lambda: noticed.append(1))
    assert noticed == [1]


def test_the_process_ends_before_libraries_write_again() -> None:
    code = (
        "import atexit; atexit.register(print, 'late'); from pipeline.launch import environment;"
        "environment.end_at_once(); print('said')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "said\n")


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="macOS has none")
def test_the_room_of_a_file_is_tried_before_a_library_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "base.weights.h5"
    space.reserve(file, 1_000_000)
    assert not file.exists()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError) as told:
            space.reserve(file, 1_000_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert told.value.filename == str(file) and not file.exists()
    full = space.full_disk(told.value, [Need("runtime.root", str(tmp_path), 5 * MB)])
    explains(
        str(full),
        found=rf"the limit of a file's size is reached\) to {file}",
        allowed="about 5,000,000 bytes are needed",
        next="Make room there",
    )
