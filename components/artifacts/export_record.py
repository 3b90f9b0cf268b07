"""The form of a candidate's SavedModel and what it gained, kept beside it in the Model artifact."""

from __future__ import annotations

import json
import os
from typing import Any

from tfx.dsl.io import fileio

_FILE = "export.json"


def write(model: str, record: dict[str, Any]) -> None:
    """Writes the record into a Model artifact.

    Args:
      model: the artifact's URI.
      record: `precision` and `average_flips` as set; where one of them is not the default, the
        figures of `components.trainer.export_gain`, too.
    """
    with fileio.open(os.path.join(model, _FILE), "w") as file:
        file.write(json.dumps(record))


def read(model: str) -> dict[str, Any]:
    """Returns the record of a Model artifact; an empty one where it has none."""
    path = os.path.join(model, _FILE)
    if not fileio.exists(path):
        return {}
    with fileio.open(path) as file:
        record: dict[str, Any] = json.loads(file.read())
    return record
