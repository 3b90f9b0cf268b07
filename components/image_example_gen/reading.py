"""Reads one picture's file: what the ingest and the command `check` both do. No TensorFlow."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable

from components.features import SPLITS
from components.image_example_gen import sources
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.splits import split_key, split_of
from components.settings import Data
from serving.pictures import Picture, PictureError, canonical

Row = dict[str, str]
"""What became of a file: {"file", "label", "split"}, or {"file", "label", "reason"} if rejected."""


@dataclasses.dataclass(frozen=True)
class Accepted:
    """A picture that can be used."""

    picture: Picture
    sha256: str  # of the file's bytes, in hexadecimal
    split: str


def read(file: SourceFile, data: Data) -> tuple[Accepted | None, Row]:
    """Gives the picture, None if it is rejected, and the row for the ledger."""
    row = {"file": file.name, "label": file.label}
    try:
        content = sources.content(file)
        picture = canonical(content, max_pixels=data.max_pixels)
    except OSError as error:
        return None, {**row, "reason": f"can't be read: {error.strerror or error}"}
    except PictureError as error:
        return None, {**row, "reason": str(error)}
    sha256 = hashlib.sha256(content).hexdigest()
    split = file.split or split_of(split_key(file, sha256, data), data.splits, file.among)
    return Accepted(picture, sha256, split), {**row, "split": split}


@dataclasses.dataclass(frozen=True)
class Ledger:
    """What became of every file."""

    accepted: list[Row]
    rejected: list[Row]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Ledger:
        """Sorts rows by file name and tells accepted from rejected."""
        ordered = sorted(rows, key=lambda row: row["file"])
        accepted = [row for row in ordered if "split" in row]
        return cls(accepted, [row for row in ordered if "reason" in row])

    def counts(self, classes: list[str]) -> dict[str, dict[str, int]]:
        """Gives the number of accepted pictures by split and class."""
        counts = {split: dict.fromkeys(classes, 0) for split in SPLITS}
        for row in self.accepted:
            counts[row["split"]][row["label"]] += 1
        return counts
