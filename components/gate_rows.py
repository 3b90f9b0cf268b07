"""The row that InfraValidator adds to those of the gate, the same wherever rows are shown."""

from __future__ import annotations

from typing import Any


def servable(blessed: bool, reason: str) -> dict[str, Any]:
    """Gives the row that says whether a server could serve the candidate.

    Args:
      blessed: InfraValidator's decision.
      reason: its words where it refused, else "".
    """
    needed = f"1 (a server answers as the model does{reason and ': ' + reason})"
    row = {"metric": "servable", "slice": "overall", "found": float(blessed), "needed": needed}
    return {**row, "passed": blessed}
