"""Which pictures a data set has: a file beside the ingest report, and in the acceptance of it.

`pictures.parquet` has file, class and SHA-256 of all accepted pictures, the digest of a file's
bytes cut to 8 bytes (16 hexadecimal digits): enough to tell a million pictures apart. Earlier
versions wrote `pictures.json.gz`, a list of [FILE, CLASS, SHA-256], which is read as well.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from components.artifacts import packed_json
from components.artifacts.parquet import PIECE
from components.artifacts.rows import Rows
from components.packed import Packed

FILE, OLD = "pictures.parquet", "pictures.json.gz"
FILES = (FILE, OLD)
"""By which of them an artifact has, the newest form first."""

_DIGITS = 16
_MAGIC = b"PAR1"


class Picture(NamedTuple):
    """One picture of a data set."""

    file: str
    label: str
    sha256: str  # its beginning


class Pictures(Packed[Picture]):
    """The pictures of a data set, packed."""

    def __init__(self, rows: Rows):
        """Keeps rows of `file`, `label` and `sha256`."""
        self.rows = rows

    @classmethod
    def of(cls, pictures: Iterable[Picture]) -> Pictures:
        """Packs pictures."""
        if isinstance(pictures, Pictures):
            return pictures
        return cls(Rows.of(picture._asdict() for picture in pictures))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Picture]:
        return (Picture(**row) for row in self.rows)

    def _item(self, at: int) -> Picture:
        return Picture(**self.rows[at])


def of_rows(rows: Iterable[Mapping[str, str]]) -> Pictures:
    """Returns the pictures of a ledger's rows of accepted files."""
    return Pictures.of(Picture(row["file"], row["label"], row["sha256"][:_DIGITS]) for row in rows)


def as_bytes(pictures: Iterable[Picture]) -> bytes:
    """Returns the file's content, the same for the same pictures."""
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(Pictures.of(pictures).rows.table, sink, row_group_size=8 * PIECE)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def parse(content: bytes) -> Pictures:
    """Returns the pictures in a file's content."""
    if not content.startswith(_MAGIC):
        return Pictures.of(Picture(*row) for row in packed_json.unpacked(content))
    import pyarrow as pa
    from pyarrow import parquet

    return Pictures(Rows(parquet.read_table(pa.BufferReader(content))))


def write(folder: str, pictures: Iterable[Picture]) -> None:
    """Writes the file into an artifact's folder."""
    from tfx.dsl.io import fileio  # commands read such files without TFX

    fileio.makedirs(folder)
    with fileio.open(posixpath.join(folder, FILE), "wb") as file:
        file.write(as_bytes(pictures))


def read(folder: str) -> Pictures | None:
    """Returns the pictures of an artifact's folder; None where an earlier version wrote none."""
    from tfx.dsl.io import fileio

    for name in FILES:
        path = posixpath.join(folder, name)
        if fileio.exists(path):
            with fileio.open(path, "rb") as file:
                return parse(file.read())
    return None
