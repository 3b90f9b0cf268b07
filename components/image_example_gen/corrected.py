"""Applies `data.corrections` to the rows of the ledger, and says what they did. Pure functions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from components.artifacts.ledger_columns import CORRECTED_BY
from components.image_example_gen.sources.corrections import LEFT_OUT
from components.image_example_gen.verdicts import Row
from serving.names import other_forms, shown, some

if TYPE_CHECKING:
    from components.image_example_gen.ledger import Ledger

BY, BEFORE, OUT = CORRECTED_BY, "label_before", "left_out_by"
"""In a row of the ledger: the entry that names the picture; the label that it had, where it has
another now; and that it is left out."""

_LISTED = 100


def corrected(row: Row, corrections: Mapping[str, str], *names: str) -> Row:
    """Returns the row as the first entry for one of these names wants it, in any form of Unicode.

    Args:
      row: of a file.
      corrections: as `read_corrections` returns them.
      names: paths and SHA-256 of the file.
    """
    if not corrections:
        return row
    known = itertools.chain(names, *map(other_forms, names))
    found = next((name for name in known if name in corrections), None)
    if found is None:
        return row
    label = corrections[found]
    if label == LEFT_OUT:
        return {**row, BY: found, OUT: "data.corrections"}
    before = {BEFORE: row["label"]} if label != row["label"] else {}
    return {**row, "label": label, BY: found, **before}


def document(ledger: Ledger, corrections: Mapping[str, str]) -> dict[str, Any]:
    """Returns the counts for the ingest report, and the first hundred of each kind.

    relabelled: accepted pictures that have another label than in the source.
    confirmed: accepted pictures of which a person said that their label is right.
    left_out: pictures that nobody reads.
    unknown: entries that name no picture.
    listed: {"relabelled": [{"file", "from", "to"}], "left_out": [file], "unknown": [entry]}.
    """
    relabelled = [
        {"file": row["file"], "from": row[BEFORE], "to": row["label"]}
        for row in ledger.accepted.where(ledger.accepted.has(BEFORE))
    ]
    confirmed = int((ledger.accepted.has(BY) & ~ledger.accepted.has(BEFORE)).sum())
    out = [row["file"] for row in ledger.taken_out]
    unknown = sorted(corrections.keys() - ledger.corrected_by)
    listed: dict[str, list[Any]] = {
        "relabelled": relabelled,
        "left_out": out,
        "unknown": unknown,
    }
    return {
        **{kind: len(rows) for kind, rows in listed.items()},
        "confirmed": confirmed,
        "listed": {kind: rows[:_LISTED] for kind, rows in listed.items()},
    }


def notes(found: Mapping[str, Any]) -> Iterator[str]:
    """Yields sentences on what `document` returned; none where there are no corrections."""
    counts = [
        f"{found[kind]} {kind.replace('_', ' ')}"
        for kind in ("relabelled", "left_out", "confirmed")
        if found[kind]
    ]
    if counts:
        yield f"data.corrections: pictures {', '.join(counts)}."
    if unknown := found["listed"]["unknown"]:
        yield (
            f"data.corrections: {found['unknown']} "
            f"{'entries name' if found['unknown'] > 1 else 'entry names'} no picture: "
            f"{some(map(shown, unknown))}."
        )
