"""The content of the ingest report. A pure function."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any

from components.artifacts.features import TEST
from components.artifacts.rows import Rows
from components.image_example_gen import changes, corrected, quality_report, split_notes, unread
from components.image_example_gen.ledger import Ledger
from components.image_example_gen.near_duplicates import across_splits
from components.image_example_gen.sources import Listing
from components.image_example_gen.verdicts import Row, duplicates
from serving.names import shown
from serving.picture_settings import DEFAULT, PictureSettings

_MOST_LISTED = 100


def ingest_report(
    listing: Listing,
    ledger: Ledger,
    settings: PictureSettings = DEFAULT,
    before: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns the counts, the rejected files and the duplicates that people and programs read.

    accepted, ignored: numbers of files.
    rejected: rows of {"file", "label", "reason"}, by file.
    rejected_by_reason: the numbers of rejected files by the reason's fixed phrase.
    rejected_by_class: the numbers of rejected files by class.
    rejected_by_split: likewise by split, "undecided" where their content would have decided.
    counts: the numbers of accepted pictures by split and class.
    duplicates: {"count", "listed"}: pictures equal to another of their class and split; the first
      hundred as {"file", "like"}.
    near_duplicates: {"count", "in_test", "listed"}: pictures of `eval` and `test` that look like
      one of a split which must not know them; see `near_duplicates.across_splits`.
    moved: {"count", "listed"}: pictures in another split than before; the first hundred as {"file",
      "before", "now"}.
    encoded_anew: the numbers of accepted pictures that could not keep their bytes, by reason.
    corrections: what `data.corrections` did; see `corrected.document`.
    pictures: the settings by which they became canonical, as the model will carry them.
    quality: the unusual pictures; see `quality_report.document`.
    notes: sentences about what is unusual in the source and in the counts.
    """
    classes = ledger.classes(listing.classes)
    counts = ledger.counts(classes)
    near = across_splits(ledger.accepted, _MOST_LISTED)
    corrections = corrected.document(ledger, listing.corrections)
    quality = quality_report.document(ledger.accepted, (before or {}).get("quality") or None)
    return {
        "accepted": len(ledger.accepted),
        "rejected": ledger.rejected,
        "rejected_by_reason": rejected_by_reason(ledger.rejected),
        "rejected_by_class": dict(collections.Counter(row["label"] for row in ledger.rejected)),
        "rejected_by_split": ledger.rejected_by_split,
        "ignored": listing.ignored,
        "counts": counts,
        "duplicates": _duplicates(ledger.accepted),
        "near_duplicates": near,
        "moved": _moved(ledger),
        "encoded_anew": changes.by_reason(ledger.accepted),
        "corrections": corrections,
        "pictures": settings.as_json(),
        "quality": quality,
        "notes": [
            *listing.notes,
            *corrected.notes(corrections),
            *split_notes.notes(ledger, listing.classes),
            *split_notes.alike(near, sum(counts[TEST].values())),
            *changes.notes(ledger.accepted, settings),
            *quality_report.notes(quality),
            *unread.notes(listing, ledger.rejected),
        ],
    }


def rejected_by_reason(rejected: list[Row]) -> dict[str, int]:
    """Returns the number of rejected files by the fixed phrase that their reason begins with."""
    phrases = (row["reason"].partition(": ")[0] for row in rejected)
    return dict(collections.Counter(phrases).most_common())


def gaps(counts: dict[str, dict[str, int]], least: int) -> list[str]:
    """Names the classes with fewer pictures than `least` in a split, and their number if any."""
    return [
        f"{shown(label)} in {split}" + (f" ({count})" if count else "")
        for split, by_class in counts.items()
        for label, count in by_class.items()
        if count < least
    ]


def _moved(ledger: Ledger) -> dict[str, Any]:
    listed = [dataclasses.asdict(moved) for moved in ledger.moved[:_MOST_LISTED]]
    return {"count": len(ledger.moved), "listed": listed}


def _duplicates(accepted: Rows) -> dict[str, Any]:
    equals = accepted.with_equals()
    listed = sorted((row["file"], first["file"]) for row, first in duplicates(equals))
    return {
        "count": len(listed),
        "listed": [{"file": file, "like": first} for file, first in listed[:_MOST_LISTED]],
    }
