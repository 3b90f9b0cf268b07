"""The records of each split, counted at every border: a Beam runner may lose or double some.

The ingest holds its rows against the listing and its splits against the ledger, and leaves the
numbers on its Examples; each step that reads them holds what it read or wrote against these.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tfx.types import Artifact, artifact_utils

from components.artifacts import tfrecords
from components.errors import DataError

_COUNTS = "record_counts"
"""A property of Examples: JSON of the numbers of records by split."""


class RecordsLost(DataError):
    """Between two steps, or within one, records were lost or doubled."""


def note(examples: Artifact, counts: Mapping[str, int]) -> None:
    """Leaves the numbers of records by split on the Examples that hold them."""
    examples.set_string_custom_property(_COUNTS, json.dumps(counts))


def of(examples: Artifact, split: str) -> int:
    """Returns the number of records that a split was written with; counts foreign Examples'."""
    noted = json.loads(examples.get_string_custom_property(_COUNTS) or "{}")
    if split in noted:
        return int(noted[split])
    return tfrecords.count(artifact_utils.get_split_uri([examples], split))


def check(what: str, found: int, needed: int) -> None:
    """Holds a number of records against the number that the step before has.

    Args:
      what: is counted, in the plural, as in `rows of the ledger`.
      found: the number of them.
      needed: the number that there must be.

    Raises:
      RecordsLost: they differ.
    """
    if found == needed:
        return
    happened = "lost" if found < needed else "doubled"
    raise RecordsLost(
        f"{found:,} instead of {needed:,} {what}: {abs(needed - found):,} were {happened}. Either "
        "Beam's runner does this (runtime.beam; --runner=FnApiRunner does not), or files were "
        "changed while the step ran. Nothing of this step is used: mend that and run again."
    )
