"""Reads one picture's file: what the ingest and the command `check` both do. No TensorFlow."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping

from components.files import waiting
from components.files.pictures import read_picture
from components.image_example_gen import changes, quality, sources
from components.image_example_gen.corrected import BY, OUT, corrected
from components.image_example_gen.difference_hash import difference_hash
from components.image_example_gen.sources import SourceFile
from components.image_example_gen.verdicts import CONFLICT, Row
from components.settings.data import Data
from serving import picture_files, pictures
from serving.names import quoted, shown
from serving.picture_measures import small_grey
from serving.picture_settings import DEFAULT, PictureSettings
from serving.pictures import Decode, Picture, PictureError, canonical_and_pixels

_NONE: Mapping[str, str] = {}


@dataclasses.dataclass(frozen=True)
class Accepted:
    """A picture that can be used."""

    picture: Picture
    sha256: str  # of the file's bytes, in hexadecimal


def read(
    file: SourceFile,
    data: Data,
    settings: PictureSettings = DEFAULT,
    decode: Decode = pictures.decode,
    corrections: Mapping[str, str] = _NONE,
) -> tuple[Accepted | None, Row]:
    """Returns the picture, None if it is rejected or left out, and the row for the ledger.

    Args:
      file: the picture's.
      data: how large it may be.
      settings: how it becomes canonical.
      decode: decodes it where it keeps its bytes.
      corrections: labels by path or SHA-256; one by path comes first.
    """
    known = {"file": file.name, "label": file.label, "split": file.split, "group": file.group}
    row = {key: value for key, value in known.items() if value}
    row = corrected(row, corrections, file.name, file.path)
    if OUT in row:
        return None, row
    try:
        content = waiting.read(file.path, lambda: _content(file, data))
        picture, pixels = canonical_and_pixels(
            content, max_pixels=data.max_pixels, settings=settings, decode=decode
        )
    except OSError as error:
        return None, {**row, "reason": f"can't be read: {shown(error.strerror or error)}"}
    except PictureError as error:
        return None, {**row, "reason": str(error)}
    sha256 = hashlib.sha256(content).hexdigest()
    if BY not in row:
        row = corrected(row, corrections, sha256)
        if OUT in row:
            return None, row
    if file.other_labels and BY not in row:
        labels = " and ".join(quoted(label) for label in (file.label, *file.other_labels))
        return None, {**row, "reason": f"{CONFLICT}: {shown(file.name)} is labelled {labels}"}
    small = small_grey(pixels)
    seen = {"sha256": sha256, "difference_hash": difference_hash(small)}
    measured = quality.row_of(small, (picture.width, picture.height), len(content))
    return Accepted(picture, sha256), {**row, **seen, **measured, **changes.row_of(picture)}


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
    return read_picture(file.path, data.max_pixels) if large else sources.content(file)
