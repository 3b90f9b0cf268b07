"""Files in an object store, by fsspec: keys with slashes, no folders, no renames."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, cast

from components.files import object_stores
from components.files.found import Found
from components.files.paths import scheme


class StoreFiles:
    """The objects of one scheme. A folder is listed in pages of a thousand keys or so."""

    def __init__(self, path: str):
        self._scheme = f"{scheme(path)}://"
        self._store = object_stores.opened(path)
        self._reading = _READING.get(scheme(path), {})

    def below(self, folder: str) -> Iterator[Found]:
        listed = _PAGES.get(scheme(folder), _all)
        for name, facts in listed(self._store, folder):
            path = self._scheme + name
            if path.startswith(f"{folder.rstrip('/')}/"):
                size = facts.get("size") or facts.get("Size") or 0
                yield Found(path, int(size), _modified(facts))

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


def _all(store: Any, folder: str) -> Iterable[tuple[str, dict[str, Any]]]:
    """Returns the objects below a folder; what fsspec knows of each, a kilobyte, is held."""
    found = store.find(folder, detail=True)
    # Of a file adlfs returns a list of its name; nothing is below a file.
    return found.items() if isinstance(found, dict) else ()


def _of_s3(store: Any, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the objects below a folder as s3fs asks for them, a page at a time."""
    bucket, _, below = folder.rstrip("/").partition("://")[2].partition("/")
    asked = {"Bucket": bucket, "Prefix": f"{below}/" if below else ""}
    while True:
        page = store.call_s3("list_objects_v2", **asked)
        yield from ((f"{bucket}/{facts['Key']}", facts) for facts in page.get("Contents", ()))
        if not page.get("IsTruncated"):
            return
        asked["ContinuationToken"] = page["NextContinuationToken"]


_PAGES = {"s3": _of_s3}
"""By scheme: the objects below a folder without holding all that is known of them."""

_READING = {"s3": {"max_concurrency": 1}}
"""By scheme: what makes a file one request. s3fs asks for its size first, to read it in parts."""


def _modified(facts: dict[str, Any]) -> int:
    """Returns nanoseconds since the epoch; S3, Google and Azure have names of their own for it."""
    found = next((facts[key] for key in _TIMES if facts.get(key)), None)
    if isinstance(found, str):
        found = datetime.datetime.fromisoformat(found.replace("Z", "+00:00"))
    return round(found.timestamp() * 1e9) if found else 0


_TIMES = ("LastModified", "updated", "last_modified", "mtime")
