"""The rows that InfraValidator and Pusher add to the gate's, the same wherever rows are shown."""

from __future__ import annotations

from typing import Any

WITHDRAWN_VERSION = "withdrawn_version"
"""On a PushedModel that was not pushed: the version that a rollback withdrew, the same model."""


def servable(blessed: bool, reason: str) -> dict[str, Any]:
    """Gives the row that says whether a server could serve the candidate.

    Args:
      blessed: InfraValidator's decision.
      reason: its words where it refused, else "".
    """
    needed = f"1 (a server answers as the model does{reason and ': ' + reason})"
    row = {"metric": "servable", "slice": "overall", "found": float(blessed), "needed": needed}
    return {**row, "passed": blessed}


def withdrawn(version: str) -> dict[str, Any]:
    """Gives the row of a candidate that Pusher did not push, since a rollback withdrew it.

    Args:
      version: which is the same model.
    """
    needed = (
        f"0 (version {version} is the same model, and a rollback withdrew it; rollback --to "
        f"{version} serves it again)"
    )
    row = {"metric": "withdrawn", "slice": "overall", "found": 1.0, "needed": needed}
    return {**row, "passed": False}
