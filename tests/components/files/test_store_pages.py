"""How Google's and Azure's stores are listed: by clients that answer as theirs do, in pages of two.

By hand the same calls were held against fsspec's `find` on gcp-storage-emulator and Azurite.
"""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from fsspec.asyn import get_loop

from components import files
from components.files import object_stores
from components.files.entries import View

KEYS = ["photos/cats/1.png", "photos/cats/2.png", "photos/dogs/#3 é.png", "photos/dogs/4.png"]
OTHERS = ["photos-of-others/cats/1.png"]
MODIFIED = datetime.datetime(2026, 11, 29, 1, 2, 3, 250_000, tzinfo=datetime.timezone.utc)
TIME = round(1_795_914_123.25 * 1e9)  # to a quarter of a microsecond, as a float has it
FOLDER = "photos/dogs"


class Google:
    """What of gcsfs is asked."""

    def __init__(self, keys: list[str]):
        self._keys = keys
        self.asked: list[dict[str, Any]] = []

    def split_path(self, path: str) -> tuple[str, str, None]:
        bucket, _, key = path.removeprefix("gs://").partition("/")
        return bucket, key, None

    def call(self, method: str, path: str, bucket: str, **asked: Any) -> dict[str, Any]:
        assert (method, path, bucket, asked.pop("json_out")) == ("GET", "b/{}/o", "bucket", True)
        self.asked.append(asked)
        below = [key for key in self._keys if key.startswith(asked["prefix"])]
        first = int(asked.get("pageToken", 0))
        page: dict[str, Any] = {"nextPageToken": str(first + 2)} if first + 2 < len(below) else {}
        updated = "2026-11-29T01:02:03.250Z"
        items = [{"name": key, "size": "7", "updated": updated} for key in below[first : first + 2]]
        return page | {"items": items} if items else page


class Azure:
    """What of adlfs and of Microsoft's library is asked."""

    def __init__(self, keys: list[str]):
        self._blobs = [self._blob(key, None) for key in keys]
        self._blobs += [self._blob(FOLDER, {"hdi_isfolder": "true"}), self._blob("photos/made", {})]
        self._blobs += [self._blob("photos/x", {"is_directory": "true"})]
        self.service_client = SimpleNamespace(get_container_client=self._container)
        self.loop = get_loop()
        self.pages = 0

    def split_path(self, path: str) -> tuple[str, str, None]:
        bucket, _, key = path.partition("://")[2].partition("/")
        return bucket.partition("@")[0], key, None

    def _blob(self, name: str, metadata: dict[str, str] | None) -> SimpleNamespace:
        return SimpleNamespace(name=name, size=7, last_modified=MODIFIED, metadata=metadata)

    def _container(self, name: str) -> SimpleNamespace:
        assert name == "bucket"
        return SimpleNamespace(list_blobs=self._list)

    def _list(
        self, name_starts_with: str, include: list[str], results_per_page: int
    ) -> SimpleNamespace:
        assert include == ["metadata"] and results_per_page
        below = [blob for blob in self._blobs if blob.name.startswith(name_starts_with)]

        async def page(blobs: list[SimpleNamespace]) -> AsyncIterator[SimpleNamespace]:
            for blob in blobs:
                yield blob

        async def by_page() -> AsyncIterator[AsyncIterator[SimpleNamespace]]:
            for first in range(0, len(below), 2):
                self.pages += 1
                yield page(below[first : first + 2])

        return SimpleNamespace(by_page=by_page)


def listed(store: Any, place: str, monkeypatch: pytest.MonkeyPatch) -> View:
    monkeypatch.setattr(object_stores, "opened", lambda path: store)
    monkeypatch.setattr(object_stores, "is_installed", lambda path: True)
    return files.view(place)


def test_google_s_objects_are_listed_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Google([*KEYS, *OTHERS])
    found = listed(store, "gs://bucket/photos", monkeypatch).tree("gs://bucket/photos").files
    assert [file.path for file in found] == [f"gs://bucket/{key}" for key in KEYS]
    assert {(file.size, file.modified) for file in found} == {(7, TIME)}
    assert [asked.get("pageToken") for asked in store.asked] == [None, "2"]


def test_an_empty_bucket_and_a_whole_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed(Google([]), "gs://bucket", monkeypatch).names("gs://bucket") == []
    whole = listed(Google([*KEYS, *OTHERS]), "gs://bucket/", monkeypatch)
    assert whole.names("gs://bucket") == ["photos", "photos-of-others"]


@pytest.mark.parametrize(
    "place", ["az://bucket/photos", "abfss://bucket@account.dfs.core.windows.net/photos"]
)
def test_azure_s_blobs_are_listed_in_pages_without_those_that_are_folders(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Azure([*KEYS, *OTHERS])
    found = listed(store, place, monkeypatch).tree(place).files
    names = [key.removeprefix("photos/") for key in KEYS]
    assert sorted(file.name for file in found) == [*names, "made"]
    assert all(file.path == f"{place}/{file.name}" for file in found)
    assert {(file.size, file.modified) for file in found} == {(7, TIME)}
    assert store.pages == 4
