"""When an ingest has to stop: too much rejected, or too little left."""

from __future__ import annotations

from components.errors import MOST_LINES, DataError, listed
from components.image_example_gen.ingest_report import gaps, rejected_by_reason
from components.image_example_gen.ledger import Ledger
from components.settings.data import Data
from serving.names import shown, some


def check_limits(ledger: Ledger, counts: dict[str, dict[str, int]], data: Data) -> None:
    """Holds what was read against the configuration.

    Args:
      ledger: what became of every file.
      counts: its accepted pictures by split and class.
      data: has the limits.

    Raises:
      DataError: too many files were rejected, a split is empty, or a class has too few pictures.
    """
    check_rejected(ledger, data)
    classes = next(iter(counts.values()))
    if len(classes) < 2:
        raise DataError(
            f"{len(classes)} class{'es' if not classes else ''} left, and a classifier needs two: "
            f"{some(map(shown, ledger.small))} have under three pictures (or groups). Add "
            "pictures, or set data.small_classes=train."
        )
    empty = [split for split, by_class in counts.items() if not any(by_class.values())]
    if empty:
        raise DataError(f"No picture at all in {', '.join(empty)}. {_WAYS_OUT}.")
    missing = gaps(counts, data.min_pictures)
    if missing:
        few = "No picture" if data.min_pictures == 1 else f"Under {data.min_pictures} pictures"
        raise DataError(
            f"{few} of {some(map(shown, missing))}. {_WAYS_OUT}, give the split a larger part in "
            f"data.splits, or lower data.min_pictures ({data.min_pictures})."
        )


_WAYS_OUT = (
    "A class with three pictures (with data.group_by: three groups) or more is in every split: add "
    "pictures, or use smaller groups"
)


def check_rejected(ledger: Ledger, data: Data, source: str = "") -> None:
    """Refuses a source of which too much can't be used.

    Args:
      ledger: what became of every file.
      data: has the limit.
      source: a beginning of the message that names the source, where it is not `data.source`.

    Raises:
      DataError: it is.
    """
    rejected = ledger.rejected
    total = len(ledger.accepted) + len(rejected)
    if len(rejected) <= data.max_rejected_fraction * total:
        return
    lines = listed([shown(f"{row['file']}: {row['reason']}") for row in rejected[:MOST_LINES]])
    reasons = ", ".join(f"{text} ({count})" for text, count in rejected_by_reason(rejected).items())
    raise DataError(
        f"{source}{len(rejected)} of {total} pictures can't be used, more than "
        f"data.max_rejected_fraction ({data.max_rejected_fraction}) allows: {reasons}. "
        f"Mend or remove them, or raise the limit. The first ones:{lines}"
    )
