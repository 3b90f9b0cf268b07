"""Pictures in a bucket, from a server on this machine that speaks S3."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
import s3fs
from tfx.dsl.io import filesystem_registry

from components import files
from components.artifacts import tfrecords
from components.errors import DataError
from components.files import object_stores
from tests import s3_server
from tests.explains import refused
from tests.s3_server import BUCKET, Server

PICTURES = f"s3://{BUCKET}/photos"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    yield from s3_server.serving(monkeypatch)


@pytest.mark.parametrize("keys", [2_500, pytest.param(100_000, marks=pytest.mark.slow)])
def test_keys_are_listed_in_pages_and_none_is_looked_at(
    server: Server, monkeypatch: pytest.MonkeyPatch, keys: int
) -> None:
    for number in range(keys):
        server.put(f"photos/{('cats', 'dogs')[number % 2]}/{number:06}.png", b"x" * (number % 7))
    server.put("photos-of-others/cats/1.png", b"x")
    looked: list[str] = []
    monkeypatch.setattr(
        s3fs.S3FileSystem, "find", lambda *of, **more: pytest.fail("it would hold all at once")
    )
    for name in ("head_object", "get_object"):
        monkeypatch.setattr(
            type(server.backend), name, lambda *of, **more: looked.append(str(of)), raising=True
        )
    place = files.view(PICTURES)
    tree = place.tree(PICTURES)
    assert (len(tree.files), tree.folders, looked) == (keys, ["cats", "dogs"], [])
    first = tree.files[0]
    assert (first.path, first.name) == (f"{PICTURES}/cats/000000.png", "cats/000000.png")
    assert isinstance(first.modified, int) and first.modified > 1e18  # nanoseconds
    assert sum(file.size for file in tree.files) == sum(number % 7 for number in range(keys))
    assert place.names(PICTURES) == ["cats", "dogs"]


def test_what_was_added_after_a_listing_is_in_the_next_one(server: Server) -> None:
    server.put("photos/cats/1.png", b"1")
    assert len(files.view(PICTURES).tree(PICTURES).files) == 1
    server.put("photos/cats/2.png", b"2")
    assert len(files.view(PICTURES).tree(PICTURES).files) == 2


def test_nothing_is_below_a_file(server: Server) -> None:
    server.put("photos/one", b"content")
    assert not files.view(f"{PICTURES}/one").is_folder(f"{PICTURES}/one")


def test_files_are_read_written_and_removed_and_faults_are_os_errors(server: Server) -> None:
    files.write_bytes(f"{PICTURES}/new", b"content")
    assert files.read_bytes(f"{PICTURES}/new") == b"content"
    with files.reading(f"{PICTURES}/new") as file:
        file.seek(3)
        assert file.read() == b"tent"
    with pytest.raises(FileNotFoundError):
        files.read_bytes(f"{PICTURES}/none")
    for number in range(3):
        files.write_bytes(f"{PICTURES}/kept/{number}", b"")
    files.keep_newest(f"{PICTURES}/kept", 1)
    assert len([key for key in server.objects() if "/kept/" in key]) == 1


def test_a_picture_is_one_request_and_so_is_an_empty_file(server: Server) -> None:
    for key, content in {"one": b"content", "none": b""}.items():
        server.put(f"photos/{key}", content)
        server.requests.clear()
        assert files.read_bytes(f"{PICTURES}/{key}") == content
        asked = [(each.method, each.key) for each in server.requests]
        assert asked == [("GET", f"photos/{key}")]


def test_a_bucket_that_is_not_there_is_named_with_the_reason(server: Server) -> None:
    with refused(
        DataError,
        found="s3://none/x can't be listed",
        allowed="bucket does not exist",
        next="Check the path and its access",
    ):
        files.view("s3://none/x")


def test_a_scheme_is_fsspec_s_only_where_its_library_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(object_stores, "installed_schemes", lambda: ["s3"])
    found = [object_stores.is_installed(f"{name}bucket/x") for name in ("s3://", "gs://", "/")]
    assert found == [True, False, False]


def test_folders_need_nothing_of_fsspec() -> None:
    script = """
import sys
from components import files
from components.files import tfx_plugin
from pipeline.store import remote_files
from tests.explains import refused
files.view("/").names("/")
files.read_bytes(sys.executable)
remote_files.expect("/")
assert not {"s3fs", "gcsfs", "adlfs"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True)


def test_a_process_registers_the_stores_once_however_many_files_it_reads(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put("photos/rows", tfrecords.framed(b"a row"))
    assert [*tfrecords.records_of(f"{PICTURES}/rows")] == [b"a row"]  # TFX registers its own, too
    calls: list[str] = []
    registry = filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY
    monkeypatch.setattr(registry, "register", lambda *_, **more: calls.append("register"))
    for _ in range(3):
        assert [*tfrecords.records_of(f"{PICTURES}/rows")] == [b"a row"]
    assert not calls
