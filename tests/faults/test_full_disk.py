"""A full disk is found before the work, or ends it in one sentence: where, needed and free."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.files import space
from components.files.space import DiskFull, Need
from components.settings import metadata as settings
from pipeline import config
from pipeline.commands import free_space, preflight, run_config
from pipeline.store import metadata_store
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


@contextlib.contextmanager
def file_limit() -> Iterator[None]:
    """No file may grow over 100,000 bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def limited() -> Iterator[None]:
    """No file may grow over 100,000 bytes in the test."""
    with file_limit():
        yield


@pytest.mark.parametrize(
    ("error", "reason", "mended"),
    [
        (OSError(errno.ENOSPC, "x"), "it is full", "Make room there, or name a folder on another"),
        (OSError(errno.EDQUOT, "x"), "the quota is used up", "have the quota raised, or name a"),
        (OSError(errno.EFBIG, "x"), "reached, 100,000 bytes for", "Raise RLIMIT_FSIZE where .*-f"),
        (RuntimeError("a; File too large"), "reached, 100,000 bytes for", "Raise RLIMIT_FSIZE"),
    ],
)
def test_each_limit_is_told_as_what_it_is(
    error: Exception, reason: str, mended: str, tmp_path: Path, limited: None
) -> None:
    found = str(space.full_disk(error, [Need("runtime.root", str(tmp_path), 5 * MB)]))
    explains(found, found=reason, allowed="about 5,000,000 bytes are needed", next=mended)
    assert ("full" in found) == ("Make room" in found) == (error.args[0] == errno.ENOSPC)


def test_the_file_in_tensorflows_message_is_named_where_it_is_the_runs(tmp_path: Path) -> None:
    needs = [Need("runtime.root", str(tmp_path), 5 * MB)]
    for file, named in ((f"{tmp_path}/a b/x.tfrecord", True), ("/elsewhere/x.tfrecord", False)):
        node = "{{function_node __wrapped__SaveV2_device_/job:localhost/device:CPU:0}}"
        error = RuntimeError(f"{node} {file}; File too large [Op:SaveV2]")
        assert (f" to {file}: " in str(space.full_disk(error, needs))) == named


def test_the_file_of_a_folder_that_was_copied_is_named(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "small").write_bytes(b"x")
    (source / "large").write_bytes(b"x" * 200_000)
    needs = [Need("runtime.root", str(tmp_path / "root"), 1), Need("TMPDIR", str(tmp_path), 2)]
    with file_limit(), pytest.raises(shutil.Error) as told:
        shutil.copytree(source, tmp_path / "copy")
    full = str(space.full_disk(told.value, needs))
    assert f" to {tmp_path}/copy/large: about 2 bytes" in full


def test_a_store_that_can_not_grow_is_told_at_once(tmp_path: Path, limited: None) -> None:
    connection = settings.connection_config(str(tmp_path / "metadata.sqlite"))
    with refused(
        DiskFull,
        found=rf"100,000 bytes for this process\) to {tmp_path}/metadata.sqlite",
        allowed="bytes are needed",
        next="Raise RLIMIT_FSIZE",
    ):
        metadata_store.wait_for(connection, waits=(60,))


def test_a_broken_disk_is_no_limit(tmp_path: Path) -> None:
    file = tmp_path / "metadata.sqlite"
    file.touch()
    error = RuntimeError("Cannot create node: disk I/O error")
    metadata_store.explain(error, settings.connection_config(str(file)))


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
    with file_limit(), pytest.raises(OSError) as told:
        space.reserve(file, 1_000_000)
    assert told.value.filename == str(file) and not file.exists()
    full = space.full_disk(told.value, [Need("runtime.root", str(tmp_path), 5 * MB)])
    explains(
        str(full),
        found=rf"its file system holds no file as large\) to {file}",
        allowed="about 5,000,000 bytes are needed",
        next="Name a folder on another disk",
    )
