"""Files in an object store, by fsspec: keys with slashes, no folders, no renames."""

from __future__ import annotations

import datetime
import importlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

from components.files import object_stores
from components.files.found import Found
from components.files.paths import scheme


class StoreFiles:
    """The objects of one scheme. A folder is listed in pages of a thousand keys or so."""

    def __init__(self, path: str):
        self._store = object_stores.opened(path)
        self._reading = _READING.get(scheme(path), {})

    def below(self, folder: str) -> Iterator[Found]:
        folder = folder.rstrip("/")
        bucket, key, _ = self._store.split_path(folder)
        start = f"{key}/" if key else ""
        for found, size, modified in _PAGES[scheme(folder)](self._store, bucket, start):
            yield Found(f"{folder}/{found.removeprefix(start)}", size, modified)

    def checksum(self, path: str) -> str:
        return str(self._store.checksum(path))

    def open(self, path: str) -> BinaryIO:
        return cast(BinaryIO, self._store.open(path, "rb"))

    def read(self, path: str) -> bytes:
        return bytes(self._store.cat_file(path, **self._reading))

    def write(self, path: str, content: bytes) -> None:
        self._store.pipe_file(path, content)

    def delete(self, path: str) -> None:
        self._store.rm_file(path)

    def exists(self, path: str) -> bool:
        return bool(self._store.isfile(path))


Listed = Iterator[tuple[str, int, int]]
"""Key, size in bytes and time in nanoseconds since the epoch of each object of a bucket."""


def _of_s3(store: Any, bucket: str, start: str) -> Listed:
    """Lists the objects whose keys start so. `find` would hold all at once, a kilobyte each."""
    asked = {"Bucket": bucket, "Prefix": start}
    while True:
        page = store.call_s3("list_objects_v2", **asked)
        for found in page.get("Contents", ()):
            yield found["Key"], found["Size"], _nanoseconds(found["LastModified"])
        if not page.get("IsTruncated"):
            return
        asked["ContinuationToken"] = page["NextContinuationToken"]


def _of_google(store: Any, bucket: str, start: str) -> Listed:
    asked = {"prefix": start, "fields": "nextPageToken,items(name,size,updated)"}
    while True:
        page = store.call("GET", "b/{}/o", bucket, json_out=True, **asked)
        for found in page.get("items", ()):
            updated = datetime.datetime.fromisoformat(found["updated"].replace("Z", "+00:00"))
            yield found["name"], int(found["size"]), _nanoseconds(updated)
        if not page.get("nextPageToken"):
            return
        asked["pageToken"] = page["nextPageToken"]


def _of_azure(store: Any, container: str, start: str) -> Listed:
    """Lists so; of a hierarchical namespace without the objects that stand for folders."""
    asyn = importlib.import_module("fsspec.asyn")  # has no types
    client = store.service_client.get_container_client(container)
    blobs = client.list_blobs(
        name_starts_with=start, include=["metadata"], results_per_page=_OF_AZURE
    )
    pages = blobs.by_page()

    async def next_page() -> list[Any] | None:
        async for page in pages:
            return [blob async for blob in page]
        return None

    while (page := asyn.sync(store.loop, next_page)) is not None:
        for blob in page:
            if not any((blob.metadata or {}).get(key) == "true" for key in _FOLDER):
                yield blob.name, blob.size, _nanoseconds(blob.last_modified)


_FOLDER = ("hdi_isfolder", "Hdi_isfolder", "is_directory")  # metadata that Azure and adlfs write
_OF_AZURE = 1000  # blobs of a page: ten kilobytes each as Microsoft's library has them

_PAGES: dict[str, Callable[[Any, str, str], Listed]] = {
    "s3": _of_s3,
    "gs": _of_google,
    **dict.fromkeys(("az", "abfs", "abfss"), _of_azure),
}

_READING = {"s3": {"max_concurrency": 1}}
"""By scheme: what makes a file one request. s3fs asks for its size first, to read it in parts."""


def _nanoseconds(time: datetime.datetime) -> int:
    return round(time.timestamp() * 1e9)
