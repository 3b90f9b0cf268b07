"""Which pictures a data set has: a file beside the ingest report, and in the acceptance of it.

`pictures.json.gz` holds [[FILE, CLASS, SHA-256], ...] of all accepted pictures, the digest of a
file's bytes cut to 16 hexadecimal digits: enough to tell a million pictures apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from components.artifacts import packed_json

FILE = "pictures.json.gz"
_DIGITS = 16


class Picture(NamedTuple):
    """One picture of a data set."""

    file: str
    label: str
    sha256: str  # its beginning


def of_rows(rows: Iterable[Mapping[str, str]]) -> list[Picture]:
    """Returns the pictures of a ledger's rows of accepted files."""
    return [Picture(row["file"], row["label"], row["sha256"][:_DIGITS]) for row in rows]


def as_bytes(pictures: list[Picture]) -> bytes:
    """Returns the file's content, the same for the same pictures."""
    return packed_json.packed(pictures)


def parse(content: bytes) -> list[Picture]:
    """Returns the pictures in a file's content."""
    return _pictures(packed_json.unpacked(content))


def write(folder: str, pictures: list[Picture]) -> None:
    """Writes the file into an artifact's folder."""
    packed_json.write(folder, FILE, pictures)


def read(folder: str) -> list[Picture] | None:
    """Returns the pictures of an artifact's folder; None where an earlier version wrote none."""
    found = packed_json.read(folder, FILE)
    return None if found is None else _pictures(found)


def _pictures(rows: list[list[str]]) -> list[Picture]:
    return [Picture(*row) for row in rows]
