"""Parts of a split, so that a pass over it is spread by pictures and not by the ingest's files."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from components.artifacts import tfrecords

BATCH = 16  # pictures in one forward pass: as fast as 32, whose maps take twice the room
_PORTIONS = 64  # for so many workers there is something to do
_LEAST, _MOST = 16 * BATCH, 128 * BATCH  # pictures of a portion: it begins with an idle network


class Portion(NamedTuple):
    """Records of a file that stand one after the other, and the file to write of them."""

    file: str
    offset: int
    """Of the first record, its header included, in bytes."""
    records: int
    target: str

    def batches(self) -> Iterator[list[bytes]]:
        """Yields the records, up to 16 at a time."""
        if not self.records:
            return
        with tfrecords.opened(self.file) as file:
            file.seek(self.offset)
            found = itertools.islice(tfrecords.records(file), self.records)
            while batch := [record.data for record in itertools.islice(found, BATCH)]:
                yield batch


def portions(folder: str, prefix: str) -> list[Portion]:
    """Divides a split into portions whose files are `PREFIX-00000-of-00003.tfrecord`.

    Both follow from the split alone: whoever runs them in whichever order, the files are the same.
    An empty split is one portion without records.

    Args:
      folder: of the split.
      prefix: of the files to write.
    """
    places = {file: tfrecords.positions(file) for file in tfrecords.files(folder)}
    size = _size(sum(map(len, places.values())))
    found = [
        (file, some[start][0] - tfrecords.HEADER, len(some[start : start + size]))
        for file, some in places.items()
        for start in range(0, len(some), size)
    ] or [("", 0, 0)]
    return [
        Portion(*each, target=f"{prefix}-{number:05}-of-{len(found):05}.tfrecord")
        for number, each in enumerate(found)
    ]


def _size(pictures: int) -> int:
    """Returns the number of pictures of a portion: whole batches."""
    wanted = min(max(pictures // _PORTIONS, _LEAST), _MOST)
    return -(-wanted // BATCH) * BATCH
