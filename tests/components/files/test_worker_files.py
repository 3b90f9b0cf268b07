"""What steps write on workers is seen once it is whole, in a store as in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from components.files import worker_files
from tests import s3_server
from tests.s3_server import BUCKET


@pytest.fixture(params=["folder", "store"])
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    if request.param == "folder":
        yield str(tmp_path / "runs")
        return
    for _ in s3_server.serving(monkeypatch):
        yield f"s3://{BUCKET}/runs"


def content(path: str) -> bytes:
    with worker_files.opened(path) as file:
        return file.read()


def test_a_file_is_written_moved_and_replaces_that_of_an_earlier_attempt(place: str) -> None:
    for attempt in (b"first", b"second"):
        worker_files.make_folder(place)
        with worker_files.create(f"{place}/aside") as file:
            file.write(attempt)
        worker_files.move(f"{place}/aside", f"{place}/rows")
        assert content(f"{place}/rows") == attempt
        with pytest.raises(OSError, match="aside"):
            content(f"{place}/aside")
