"""Notes which pictures could not keep their bytes, for the ledger and the report."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Iterator

from components.image_example_gen.verdicts import Row
from serving.picture_conversion import DAMAGED, TRANSPARENT
from serving.picture_settings import PictureSettings
from serving.pictures import Picture

DONE, VALUES = "encoded_anew", "values"
_BETWEEN = "; "
_FULL = 0xFFFF
_DARK_BITS = 14  # of 16: with two bits less, nothing is lighter than a quarter


def row_of(picture: Picture) -> Row:
    """Returns the ledger's entries on a picture: why it was encoded anew, and its 16-bit values."""
    row = {DONE: _BETWEEN.join(picture.done)} if picture.done else {}
    return row | values_row(picture.values)


def values_row(values: tuple[int, int] | None) -> Row:
    """Returns the ledger's entry on the lowest and the highest value; {} without 16 bit."""
    return {VALUES: " ".join(map(str, values))} if values else {}


def by_reason(accepted: Iterable[Row]) -> dict[str, int]:
    """Returns the number of pictures that were encoded anew, by reason; one may have several."""
    reasons = collections.Counter[str]()
    from components.artifacts.rows import Rows  # brings NumPy; readers of pictures import this file

    rows = Rows.of(accepted)
    for row in rows.where(rows.has(DONE)):
        reasons.update(row[DONE].split(_BETWEEN))
    return dict(reasons.most_common())


def notes(accepted: Iterable[Row], settings: PictureSettings) -> Iterator[str]:
    """Yields sentences on what a person may want to have otherwise."""
    from components.artifacts.rows import Rows

    rows = Rows.of(accepted)
    found = by_reason(rows)
    if count := found.get(TRANSPARENT):
        colour = settings.as_json()["background"]
        yield f"{_pictures(count)} transparent: laid over {colour} (image.background)."
    if count := found.get(DAMAGED):
        example = next(row["file"] for row in rows if DAMAGED in row.get(DONE, ""))
        yield (
            f"{_pictures(count)} damaged, which decoders pass over: kept as they show them, as "
            f"{example}. Look at them, or remove them."
        )
    spans = [tuple(map(int, row[VALUES].split())) for row in rows.where(rows.has(VALUES))]
    if spans:
        yield _sixteen(spans, settings)


def _sixteen(spans: list[tuple[int, ...]], settings: PictureSettings) -> str:
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    bits = max(1, high.bit_length())
    found = f"{_pictures(len(spans))} of 16 bit, with values from {low:,} to {high:,}"
    if settings.range is not None:
        return f"{found}: {settings.range[0]:,} to {settings.range[1]:,} became black to white."
    if bits > _DARK_BITS:
        return f"{found}: their upper 8 bits are read (image.range)."
    return (
        f"{found}, {bits} bits: read by the range of their type they are nearly black. Set "
        f"image.range to data, or to [0, {(1 << bits) - 1}]."
    )


def measured(rows: Iterable[Row]) -> tuple[int, int] | None:
    """Returns the lowest and the highest value of all 16-bit pictures; None without any."""
    spans = [tuple(map(int, row[VALUES].split())) for row in rows if VALUES in row]
    if not spans:
        return None
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    low = min(low, _FULL - 1)
    return low, max(high, low + 1)


def _pictures(count: int) -> str:
    return f"{count:,} pictures are" if count > 1 else "1 picture is"
