"""Reads one picture's file: what the ingest and the command `check` both do. No TensorFlow."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
from collections.abc import Iterable

from components.artifacts.features import SPLITS
from components.files import waiting
from components.image_example_gen import changes, sources
from components.image_example_gen.difference_hash import difference_hash
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.splits import split_of
from components.image_example_gen.verdicts import Row, verdicts
from components.settings.data import Data
from serving import picture_files, pictures
from serving.picture_settings import DEFAULT, PictureSettings
from serving.pictures import Decode, Picture, PictureError, canonical_and_pixels

UNDECIDED = "undecided"
"""Instead of a split: of a file that can't be read, and whose content would decide."""


@dataclasses.dataclass(frozen=True)
class Accepted:
    """A picture that can be used."""

    picture: Picture
    sha256: str  # of the file's bytes, in hexadecimal
    split: str


def read(
    file: SourceFile,
    data: Data,
    settings: PictureSettings = DEFAULT,
    decode: Decode = pictures.decode,
) -> tuple[Accepted | None, Row]:
    """Returns the picture, None if it is rejected, and the row for the ledger.

    Args:
      file: the picture's.
      data: how it is split, and how large it may be.
      settings: how it becomes canonical.
      decode: decodes it where it keeps its bytes.
    """
    row = {"file": file.name, "label": file.label}
    decided = file.split or (file.group and split_of(file.group, data.splits, file.among))
    if decided:
        row["split"] = decided
    try:
        content = waiting.read(file.path, lambda: _content(file, data))
        picture, pixels = canonical_and_pixels(
            content, max_pixels=data.max_pixels, settings=settings, decode=decode
        )
    except OSError as error:
        return None, {**row, "reason": f"can't be read: {error.strerror or error}"}
    except PictureError as error:
        return None, {**row, "reason": str(error)}
    sha256 = hashlib.sha256(content).hexdigest()
    split = decided or split_of(sha256, data.splits, file.among)
    seen = {"split": split, "sha256": sha256, "difference_hash": difference_hash(pixels)}
    return Accepted(picture, sha256, split), {**row, **seen, **changes.row_of(picture)}


def measure(file: SourceFile, data: Data) -> Row:
    """Returns the lowest and the highest value of a 16-bit picture, as its row in the ledger has.

    {} for others, also for a file that is no picture: reading it says so.
    """
    try:
        content = waiting.read(file.path, lambda: _content(file, data))
        found = pictures.values(content, max_pixels=data.max_pixels)
    except (OSError, PictureError):
        return {}
    return changes.values_row(found)


def _content(file: SourceFile, data: Data) -> bytes:
    large = file.size > picture_files.READ_AT_ONCE and file.record is None
    return sources.large_content(file, data.max_pixels) if large else sources.content(file)


@dataclasses.dataclass(frozen=True)
class Ledger:
    """The verdict on every file, by name."""

    accepted: list[Row]
    rejected: list[Row]
    withdrawn: frozenset[str]  # those of the rejected that can be read, but not beside the others
    rejected_by_split: dict[str, int] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Ledger:
        """Judges the rows of all files, whatever order they come in."""
        ordered = sorted(rows, key=lambda row: (row["file"], row["label"]))
        readable = [row for row in ordered if "sha256" in row]
        reasons = verdicts(readable)
        rejected, by_split = [], collections.Counter[str]()
        for row in ordered:
            if reason := row.get("reason") or reasons.get(row["file"]):
                rejected.append({"file": row["file"], "label": row["label"], "reason": reason})
                by_split[row.get("split", UNDECIDED)] += 1
        accepted = [row for row in readable if row["file"] not in reasons]
        return cls(accepted, rejected, frozenset(reasons), dict(by_split))

    def counts(self, classes: list[str]) -> dict[str, dict[str, int]]:
        """Returns the number of accepted pictures by split and class."""
        counts = {split: dict.fromkeys(classes, 0) for split in SPLITS}
        for row in self.accepted:
            counts[row["split"]][row["label"]] += 1
        return counts
