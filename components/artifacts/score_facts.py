"""Facts that were fitted to a network's scores on the `eval` split, kept beside the SavedModel.

`scores.json` in the Model artifact: {"temperature", "eval": {"pictures", "before", "after"}},
before and after being {"calibration_error", "log_loss"}; "certain": null or {"accuracy",
"least_score", "most_distance", "answered", "right", "pictures"}, of which the last three count
pictures of the `eval` split, and a threshold is null where there is none. `model.keras` knows
nothing of it.
"""

from __future__ import annotations

import json
import os
from typing import Any

from tfx.dsl.io import fileio

_FILE = "scores.json"
_NOTHING: dict[str, Any] = {"temperature": 1.0, "eval": None, "certain": None}


def write(model: str, facts: dict[str, Any]) -> None:
    """Writes the facts into a Model artifact."""
    with fileio.open(os.path.join(model, _FILE), "w") as file:
        file.write(json.dumps(facts, indent=1))


def read(model: str) -> dict[str, Any]:
    """Returns the facts in a Model artifact; temperature 1 and no others where it has none."""
    path = os.path.join(model, _FILE)
    if not fileio.exists(path):
        return dict(_NOTHING)
    with fileio.open(path) as file:
        return dict(json.loads(file.read()))
