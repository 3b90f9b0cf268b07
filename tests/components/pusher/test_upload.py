"""Versions in a bucket, of a server on this machine that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tfx.dsl.io import fileio

from components.pusher import upload
from tests import s3_server
from tests.explains import refused
from tests.s3_server import BUCKET, Server

STORE = f"s3://{BUCKET}/models"
NAMES = ["assets/classes.txt", "saved_model.pb", "variables/variables.index"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(upload, "WAITS", (0.01,))
    yield from s3_server.serving(monkeypatch)


@pytest.fixture
def version(tmp_path: Path) -> Path:
    folder = tmp_path / "served" / "7"
    for name in NAMES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return folder


def test_a_version_is_complete_before_a_server_could_load_it(
    server: Server, version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[set[str]] = []

    def copy(source: str, target: str, overwrite: bool = False) -> None:
        seen.append(server.objects())
        whole(source, target, overwrite)

    whole = fileio.copy
    monkeypatch.setattr(upload.fileio, "copy", copy)
    upload.upload(version, STORE)
    assert server.objects() == {f"models/7/{name}" for name in NAMES}
    assert all("models/7/saved_model.pb" not in objects for objects in seen)
    assert {f"models/7/{name}" for name in NAMES if name != upload.LAST} <= seen[-1]
    assert {f"models/uploading-7/{name}" for name in NAMES} <= seen[0]


def test_an_upload_that_ends_early_shows_no_version_and_the_next_one_ends_it(
    server: Server, version: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object, **__: object) -> None:
        raise ConnectionError("the store is gone")

    with monkeypatch.context() as patched:
        patched.setattr(upload.fileio, "copy", gone)
        with refused(
            upload.UploadFailed,
            found="version 7 can't be uploaded to s3",
            allowed="the store is gone",
            next="Check the address and its access",
        ):
            upload.upload(version, STORE)
    assert not [name for name in server.objects() if name.startswith("models/7/")]
    upload.upload(version, STORE)
    assert server.objects() == {f"models/7/{name}" for name in NAMES}


def test_named_versions_go_and_nothing_else(server: Server, version: Path) -> None:
    others = {"models/2/saved_model.pb", "models/2/variables/x", "models/notes.txt"}
    for key in ("models/3/saved_model.pb", "models/3/variables/x", *others):
        server.put(key, b"")
    upload.upload(version, STORE)
    upload.remove([3, 4], STORE)
    assert server.objects() == {*others, *(f"models/7/{name}" for name in NAMES)}
