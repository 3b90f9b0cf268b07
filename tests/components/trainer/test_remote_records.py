"""Records in a bucket, from a server on this machine that speaks S3, are read where they lie."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.artifacts import tfrecords
from components.files import tfx_plugin
from components.files.copies import on_this_machine
from components.trainer.shuffled import ShuffledRecords
from tests import s3_server
from tests.s3_server import BUCKET, Server

FILES, EACH = 40, 20
FOLDER = f"s3://{BUCKET}/examples/Split-train"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for server in s3_server.serving(monkeypatch):
        tfx_plugin.register()
        yield server


def content(file: int) -> bytes:
    return b"".join(tfrecords.framed(b"%d" % (file * EACH + number)) for number in range(EACH))


@pytest.fixture
def local(server: Server, tmp_path: Path) -> str:
    """The same split on this machine and in the bucket."""
    folder = tmp_path / "Split-train"
    folder.mkdir()
    for file in range(FILES):
        (folder / f"data-{file:05}").write_bytes(content(file))
        server.put(f"examples/Split-train/data-{file:05}", content(file))
    return str(folder)


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which copies of the bucket's files are made."""
    folder = tmp_path / "copies"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def copied(copies: Path) -> list[Path]:
    """Returns the copies; AutoGraph leaves files of its own beside their folders."""
    return [path for path in copies.glob("transfer-pipeline-window-*/*") if path.is_file()]


def test_records_come_in_the_order_in_which_they_were_written(local: str) -> None:
    expected = [b"%d" % number for number in range(FILES * EACH)]
    assert list(tfrecords.read_records(FOLDER).as_numpy_iterator()) == expected
    assert tfrecords.count(FOLDER) == len(expected)


def test_windows_are_copied_one_after_the_other_and_removed(local: str, copies: Path) -> None:
    there = ShuffledRecords(FOLDER, 3, 2 * EACH, FILES * EACH)
    here = ShuffledRecords(local, 3, 2 * EACH)
    held = []
    for epoch in range(2):
        order = []
        for record in there.order(epoch).as_numpy_iterator():
            order.append(record)
            if len(order) % EACH == 0:
                held.append(len(copied(copies)))
        assert order == list(here.order(epoch).as_numpy_iterator())
    # Three windows of two files, and the eight that are fetched at the same time.
    assert 0 < max(held) <= 14


def test_a_split_of_one_window_is_fetched_once(local: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []
    opened = tfx_plugin.ObjectStore.open
    monkeypatch.setattr(
        tfx_plugin.ObjectStore,
        "open",
        staticmethod(lambda name, mode="r": (fetched.append(name), opened(name, mode))[1]),
    )
    there = ShuffledRecords(FOLDER, 3, FILES * EACH, FILES * EACH)
    for epoch in range(2):
        assert len(list(there.order(epoch))) == FILES * EACH
    assert len(fetched) == FILES


def test_a_batch_reads_records_whose_window_has_ended(local: str, copies: Path) -> None:
    there = ShuffledRecords(FOLDER, 3, 2 * EACH, FILES * EACH)
    [rows] = there.rows(0).batch(FILES * EACH)  # nearly all copies are removed by now
    assert len(copied(copies)) <= 14
    expected = [b"%d" % number for number in range(FILES * EACH)]
    assert sorted(there.read(rows).numpy().tolist(), key=int) == expected
    for path in copied(copies):
        path.unlink()
    assert len(list(there.order(1))) == FILES * EACH


def test_a_lost_record_is_an_error_of_the_epoch(local: str) -> None:
    there = ShuffledRecords(FOLDER, 3, 2 * EACH, FILES * EACH + 1)
    with pytest.raises(Exception, match="800 instead of 801 records of s3://"):
        list(there.order(0))


def test_a_file_for_what_knows_local_paths_alone_is_copied_for_a_while(server: Server) -> None:
    server.put("base.h5", b"weights")
    with on_this_machine(f"s3://{BUCKET}/base.h5") as path:
        assert Path(path).read_bytes() == b"weights"
    assert not Path(path).exists()
