"""The rows that decide on the push: the gate's, and those that InfraValidator and Pusher add."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

WITHDRAWN_VERSION = "withdrawn_version"
"""On a PushedModel that was not pushed: the version that a rollback withdrew, the same model."""


def all_rows(
    gate: Iterable[dict[str, Any]], infra_blessing: Any | None, pushed_model: Any | None
) -> list[dict[str, Any]]:
    """Returns all rows, the same wherever rows are shown.

    Args:
      gate: the Evaluator's rows.
      infra_blessing: InfraValidator's, as ML Metadata keeps artifacts; None where it has none yet.
      pushed_model: Pusher's, likewise.
    """
    rows = list(gate)
    if infra_blessing is not None:
        reason = infra_blessing.custom_properties["reason"].string_value
        rows.append(_servable(is_servable(infra_blessing), reason))
    if version := withdrawn_version(pushed_model):
        rows.append(_withdrawn(version))
    return rows


def is_servable(infra_blessing: Any | None) -> bool:
    """Checks whether InfraValidator found that a server can serve the candidate."""
    return infra_blessing is not None and infra_blessing.custom_properties["blessed"].int_value == 1


def withdrawn_version(pushed_model: Any | None) -> str:
    """Returns the version that is the candidate and that a rollback withdrew; "" for none."""
    if pushed_model is None:
        return ""
    return str(pushed_model.custom_properties[WITHDRAWN_VERSION].string_value)


def _servable(blessed: bool, reason: str) -> dict[str, Any]:
    """Returns the row that says whether a server could serve the candidate.

    Args:
      blessed: InfraValidator's decision.
      reason: why InfraValidator refused the candidate, else "".
    """
    needed = f"1 (a server answers as the model does{reason and ': ' + reason})"
    row = {"metric": "servable", "slice": "overall", "found": float(blessed), "needed": needed}
    return {**row, "passed": blessed}


def _withdrawn(version: str) -> dict[str, Any]:
    """Returns the row of a candidate that Pusher did not push, since a rollback withdrew it.

    Args:
      version: which is the same model.
    """
    needed = (
        f"0 (version {version} is the same model, and a rollback withdrew it; rollback --to "
        f"{version} serves it again)"
    )
    row = {"metric": "withdrawn", "slice": "overall", "found": 1.0, "needed": needed}
    return {**row, "passed": False}
