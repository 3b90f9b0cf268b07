"""A damaged SQLite file is told as such at once, with what is whole and the way back."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ml_metadata import metadata_store as mlmd
from ml_metadata.proto import metadata_store_pb2 as mlpb

from components.settings import metadata
from pipeline.store import metadata_store, runs, sqlite_file
from pipeline.store.metadata_store import MetadataDamaged, MetadataNewer, MetadataUnavailable
from tests.explains import refused

LOCKING = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
sys.stdin.read()
"""  # in another process: the system's file locks don't hold within one
DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "no SQLite file": lambda whole: b"hello " * 1000,
    "begins with others' bytes": lambda whole: b"\0" * 512 + whole[512:],
    "pages overwritten": lambda whole: whole[:4096] + b"\x55" * 20_000 + whole[24_096:],
    "cut": lambda whole: whole[: len(whole) // 2],
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store with some runs."""
    path = tmp_path / "metadata.sqlite"
    store = mlmd.MetadataStore(metadata.connection_config(str(path)))
    kind = store.put_context_type(mlpb.ContextType(name="pipeline_run"))
    store.put_contexts([mlpb.Context(type_id=kind, name=f"run-{n}") for n in range(300)])
    return path


def test_a_whole_store_passes(file: Path, tmp_path: Path) -> None:
    metadata_store.check_whole(str(file))
    metadata_store.check_whole(str(tmp_path / "none.sqlite"))
    metadata_store.check_whole("mysql://me@db/meta")


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_store_is_told_with_the_way_back(file: Path, kind: str) -> None:
    file.write_bytes(DAMAGES[kind](file.read_bytes()))
    words = {
        "found": f"{file} is damaged: ",
        "allowed": "the push directory and its versions are whole",
        "next": f"Put a copy of the file back, or .*`mv {file} {file}.damaged`, then the same com",
    }
    with refused(MetadataDamaged, **words):
        metadata_store.check_whole(str(file))
    began = time.monotonic()
    with refused(MetadataDamaged, **words):
        runs.run_ids(metadata.connection_config(str(file)))
    assert time.monotonic() - began < sum(metadata_store.WAITS) / 2  # it does not wait for it
    file.rename(f"{file}.damaged")
    assert runs.run_ids(metadata.connection_config(str(file))) == []


def test_a_locked_store_is_not_called_damaged(file: Path) -> None:
    command = [sys.executable, "-c", LOCKING, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as locking:
        assert locking.stdout is not None and locking.stdout.readline()
        assert sqlite_file.damage(str(file)) is None
        metadata_store.check_whole(str(file))
        locking.kill()


def test_a_locked_store_is_told_and_the_same_call_afterwards_ends_well(file: Path) -> None:
    command = [sys.executable, "-c", LOCKING, str(file)]
    store = metadata.connection_config(str(file))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as locking:
        assert locking.stdout is not None and locking.stdout.readline()
        with refused(
            MetadataUnavailable,
            found=f"{file} does not answer after .*another process holds a lock",
            allowed="once it answers",
            next="Nothing was lost.*the same command goes on",
        ):
            metadata_store.wait_for(store, waits=(0.1,))
        locking.kill()
    assert len(runs.run_ids(store)) == 300


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("no such table query: SELECT `id` FROM `Type`", "no such table"),
        ("disk is full query: INSERT INTO `Execution`", "disk is full"),
        ("Please SELECT one", "Please SELECT one"),
    ],
)
def test_no_message_holds_a_statement(text: str, left: str) -> None:
    assert metadata_store.without_sql(text) == left


def _change(file: Path, statement: str) -> None:
    connection = sqlite3.connect(file)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_flipped_bit_of_a_text_is_damage(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"run-17", b"run\xad17"))
    with refused(
        MetadataDamaged,
        found="Context.name holds what is no text",
        allowed="the push directory and its versions are whole",
        next="start a new store",
    ):
        metadata_store.check_whole(str(file))


def test_a_store_that_lacks_a_table_is_damaged(file: Path) -> None:
    _change(file, "DROP TABLE ExecutionProperty")
    with refused(
        MetadataDamaged,
        found=r"tables of ML Metadata are gone \(ExecutionProperty\)",
        allowed="the push directory and its versions are whole",
        next="start a new store",
    ):
        metadata_store.wait_for(metadata.connection_config(str(file)), waits=(60,))


def test_a_store_of_a_newer_version_is_told_at_once(file: Path) -> None:
    _change(file, "UPDATE MLMDEnv SET schema_version = 99")
    with refused(
        MetadataNewer,
        found="has the schema 99",
        allowed=r"reads up to \d+",
        next=rf"where that newer version is installed, or .*`mv {file} {file}.newer`",
    ):
        metadata_store.wait_for(metadata.connection_config(str(file)), waits=(60,))
