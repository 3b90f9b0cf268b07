"""Reads a source for `init`: every picture as a run would, and what a configuration depends on."""

from __future__ import annotations

import collections
import dataclasses
import io
import os
import statistics
from pathlib import Path

from PIL import Image

from components.artifacts.features import TEST, TRAIN
from components.errors import ConfigError, DataError, UserError
from components.image_example_gen import sources
from components.image_example_gen.ledger import Ledger
from components.image_example_gen.near_duplicates import across_splits
from components.image_example_gen.verdicts import Row
from components.settings.data import Data
from components.settings.ingest import Ingest
from pipeline.commands.check import read_pictures, refusal
from serving.picture_conversion import TRANSPARENT

_LOOKED_AT = 200  # pictures, for sizes and brightness
_MOSTLY = 0.9  # of a folder's pictures that a manifest beside them must name


@dataclasses.dataclass(frozen=True)
class Shapes:
    """Of a sample of the pictures."""

    shorter: int  # pixels, the median of the shorter sides
    longer: int  # likewise of the longer ones
    elongated: float  # the share with one side over 1.5 times the other
    light: float | None  # mean grey in [0, 255] of what is opaque in transparent ones


@dataclasses.dataclass(frozen=True)
class Found:
    """The content of a source."""

    source: str
    listing: sources.Listing
    rows: list[Row]
    shapes: Shapes

    def judged(self, data: Data) -> tuple[Ledger, dict[str, dict[str, int]], str | None]:
        """Returns the ledger, the counts by split and class, and why a run would stop, by `data`.

        The pictures are not read again.
        """
        listing = sources.scan(data)
        group = {file.name: file.group for file in listing.files}
        rows = [
            {key: value for key, value in row.items() if key != "group"}
            | ({"group": name} if (name := group.get(row["file"])) else {})
            for row in self.rows
        ]
        ledger = Ledger.of(rows, data, listing.among)
        counts = ledger.counts(ledger.classes(listing.classes))
        return ledger, counts, refusal(ledger, counts, data)

    @property
    def transparent(self) -> int:
        """How many pictures have transparent pixels."""
        return sum(TRANSPARENT in row.get("encoded_anew", "") for row in self.rows)


def read(place: Path) -> Found:
    """Reads all pictures of a folder or a manifest.

    Raises:
      UserError: there is nothing to read.
    """
    source = _source(place)
    data = Data(source=source)
    listing = sources.scan(data)
    rows, _ = read_pictures(listing, Ingest.of(data))
    return Found(source, listing, rows, _shapes(listing))


def alike(ledger: Ledger) -> int:
    """Returns how many pictures of `eval` and `test` look like one of another split."""
    return int(across_splits(ledger.accepted, 0)["count"])


def trained(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    """Returns the training pictures by class."""
    return counts[TRAIN]


def tested(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    """Returns the test pictures by class."""
    return counts[TEST]


def _source(place: Path) -> str:
    """Returns the folder, or the manifest in it where that tells the classes."""
    if not place.is_dir():
        return os.path.abspath(place)
    manifests = [file for file in sorted(place.iterdir()) if sources.is_manifest(file.name)]
    folder: sources.Listing | None = None
    fault: UserError | None = None
    try:
        folder = sources.scan(Data(source=os.path.abspath(place)))
    except (ConfigError, DataError) as error:
        fault = error
    for file in manifests:
        try:
            listing = sources.scan(Data(source=os.path.abspath(file)))
        except (ConfigError, DataError) as error:
            fault = DataError(f"{fault} Of {file.name}: {error}") if fault else None
            continue
        if folder is None or _names_most_of(listing, folder):
            return os.path.abspath(file)
    if folder is None and fault is not None:
        raise fault
    return os.path.abspath(place)


def _names_most_of(manifest: sources.Listing, folder: sources.Listing) -> bool:
    """Checks whether a manifest labels the folder's pictures, and otherwise than its folders do."""
    there = {file.path for file in folder.files}
    named = sum(file.path in there for file in manifest.files)
    return named >= _MOSTLY * len(there) and manifest.classes != folder.classes


def _shapes(listing: sources.Listing) -> Shapes:
    step = max(1, len(listing.files) // _LOOKED_AT)
    sizes, greys = [], []
    for file in listing.files[::step]:
        try:
            with Image.open(io.BytesIO(sources.content(file))) as picture:
                sizes.append(picture.size)
                greys += _opaque_grey(picture)
        except (OSError, ValueError, Image.DecompressionBombError):
            continue  # its row in the ledger says why
    if not sizes:
        raise DataError("No picture can be read: `transfer-pipeline check` lists the reasons.")
    sides = collections.Counter((min(size), max(size)) for size in sizes)
    return Shapes(
        round(statistics.median(min(size) for size in sizes)),
        round(statistics.median(max(size) for size in sizes)),
        sum(count for (low, high), count in sides.items() if high > 1.5 * low) / len(sizes),
        statistics.mean(greys) if greys else None,
    )


def _opaque_grey(picture: Image.Image) -> list[float]:
    """Returns the mean grey of the opaque pixels, [] of a picture without transparent ones."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return []
    small = picture.convert("RGBA").resize((32, 32))
    pairs = zip(small.convert("L").tobytes(), small.getchannel("A").tobytes(), strict=True)
    opaque = [grey for grey, alpha in pairs if alpha > 127]
    return [statistics.mean(opaque)] if opaque and len(opaque) < 32 * 32 else []
