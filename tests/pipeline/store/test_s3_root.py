"""A root in a bucket, from a server on this machine that speaks S3."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tfx.dsl.io import fileio

from components.settings import metadata
from pipeline import node_runner
from pipeline.store import remote_files, runs
from pipeline.store.remote_files import FileSystemUnavailable
from tests import s3_server
from tests.explains import refused
from tests.pipeline import made_nodes
from tests.s3_server import BUCKET, Server

ROOT = f"s3://{BUCKET}/runs/two"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(remote_files, "WAITS", (0.01, 0.01))
    yield from s3_server.serving(monkeypatch)


def test_tfx_reads_and_writes_a_bucket_as_a_folder(server: Server) -> None:
    fileio.makedirs(f"{ROOT}/a/empty")
    assert fileio.isdir(f"{ROOT}/a/empty") and fileio.exists(f"{ROOT}/a/empty")
    assert fileio.listdir(f"{ROOT}/a/empty") == [] and not fileio.exists(f"{ROOT}/b")
    with fileio.open(f"{ROOT}/a/text", "w") as text:
        text.write("größer")
    with fileio.open(f"{ROOT}/a/text") as text:
        assert text.read() == "größer"
    assert fileio.listdir(f"{ROOT}/a") == ["empty", "text"]
    assert fileio.glob(f"{ROOT}/a/t*") == [f"{ROOT}/a/text"]
    assert list(fileio.walk(ROOT)) == [
        (ROOT, ["a"], []),
        (f"{ROOT}/a", ["empty"], ["text"]),
        (f"{ROOT}/a/empty", [], []),
    ]
    with fileio.open(f"{ROOT}/a/state.new", "wb") as state:
        state.write(b"2" * 12_000_000)  # more than one part of an upload
    fileio.rename(f"{ROOT}/a/state.new", f"{ROOT}/a/text", overwrite=True)
    assert remote_files.read(f"{ROOT}/a/text") == b"2" * 12_000_000
    with pytest.raises(OSError, match="there already"):
        fileio.copy(f"{ROOT}/a/text", f"{ROOT}/a/text")
    fileio.rmtree(f"{ROOT}/a")
    assert not server.objects()
    for action in (fileio.rmtree, fileio.listdir, fileio.remove):
        with pytest.raises(fileio.NotFoundError):
            action(f"{ROOT}/a")


def test_an_upload_that_ends_early_leaves_nothing(server: Server, tmp_path: Path) -> None:
    with pytest.raises(ValueError), fileio.open(f"{ROOT}/half", "wb") as file:
        file.write(b"half")
        raise ValueError
    left_open = fileio.open(f"{ROOT}/half", "wb")
    left_open.write(b"half")
    del left_open
    assert not server.objects()


def test_nodes_run_killed_uploads_are_cleared_away_and_the_next_run_is_cached(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    store = metadata.connection_config(str(tmp_path / "metadata.sqlite"))
    compiled = made_nodes.compiled(ROOT, store)
    half = "runs/two/Write/examples/1/Split-train/half"
    server.put(half, b"of an attempt that was killed")
    for run_id, state in (("monday", "ran"), ("tuesday", "cached")):
        bound = node_runner.bind(compiled, run_id)
        assert [node_runner.run_node(bound, node) for node in ("Write", "Read")] == [state, state]
    assert half not in server.objects()
    found = runs.read_run(store, "monday").document(("Read", "model"), "found.json")
    assert found["files"] == ["Split-eval", "Split-train", "Split-train/pictures"]
    assert (found["content"], found["state"][:5]) == ("pictures", "s3://")
    assert not [path.name for path in tmp_path.iterdir() if not path.name.startswith("metadata")]


def test_a_bucket_that_is_not_there_is_told_with_its_address(
    server: Server, tmp_path: Path
) -> None:
    store = metadata.connection_config(str(tmp_path / "metadata.sqlite"))
    bound = node_runner.bind(made_nodes.compiled("s3://none/runs/two", store), "monday")
    with refused(
        FileSystemUnavailable,
        found="s3://none/runs/two failed .*bucket does not",
        allowed="Is the file system mounted",
        next="Nothing was lost: once it answers",
    ):
        node_runner.run_node(bound, "Write")
