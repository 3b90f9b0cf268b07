"""When an ingest has to stop: too much rejected, or too little left."""

from __future__ import annotations

from components.errors import MOST_LINES, DataError, listed
from components.image_example_gen.ingest_report import gaps, rejected_by_reason
from components.image_example_gen.reading import Ledger
from components.settings.data import Data
from serving.names import shown


def check_limits(ledger: Ledger, counts: dict[str, dict[str, int]], data: Data) -> None:
    """Holds what was read against the configuration.

    Args:
      ledger: what became of every file.
      counts: its accepted pictures by split and class.
      data: has the limits.

    Raises:
      DataError: too many files were rejected, or a class has too few pictures in a split.
    """
    _check_rejected(ledger, data)
    empty = [split for split, by_class in counts.items() if not any(by_class.values())]
    if empty:
        raise DataError(f"No picture at all in {', '.join(empty)}. {_WAYS_OUT}.")
    missing = gaps(counts, data.min_pictures)
    if missing:
        few = "No picture" if data.min_pictures == 1 else f"Under {data.min_pictures} pictures"
        raise DataError(
            f"{few} of {', '.join(missing)}. {_WAYS_OUT}, or lower data.min_pictures "
            f"({data.min_pictures})."
        )


_WAYS_OUT = (
    "The split follows from each picture's content (or group); add pictures of these classes, give "
    "the split a larger part in data.splits"
)


def _check_rejected(ledger: Ledger, data: Data) -> None:
    rejected = ledger.rejected
    total = len(ledger.accepted) + len(rejected)
    if len(rejected) <= data.max_rejected_fraction * total:
        return
    lines = listed([shown(f"{row['file']}: {row['reason']}") for row in rejected[:MOST_LINES]])
    reasons = ", ".join(f"{text} ({count})" for text, count in rejected_by_reason(rejected).items())
    raise DataError(
        f"{len(rejected)} of {total} pictures can't be used, more than "
        f"data.max_rejected_fraction ({data.max_rejected_fraction}) allows: {reasons}. "
        f"Mend or remove them, or raise the limit. The first ones:{lines}"
    )
