"""Applies the values that Tuner found to the settings: Tuner and Trainer must agree on it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tfx.dsl.io import fileio
from tfx.types import Artifact

from components.artifacts import types as artifact_types
from components.settings.model import Dense, Head
from components.settings.training import Frozen

DROPOUT, LEARNING_RATE = "dropout", "learning_rate"
TRIALS = "trials.json"
"""In TunerResults, beside TFX's own table: all trials, the best first, with those that diverged."""

_BEST = "best_hyperparameters.txt"  # in HyperParameters, as TFX's Tuner writes it
_FIRST = Dense(units=1)  # the layer that is tried where the head has none

Values = Mapping[str, Any]


def units_of(head: Head) -> list[str]:
    """Returns a name for the units of each dense layer that is tried."""
    count = len(head.dense)
    return [f"units_{number}" for number in range(1, count + 1)] if count > 1 else ["units"]


def apply(values: Values, head: Head, frozen: Frozen) -> tuple[Head, Frozen]:
    """Returns the settings with the values in their places; skips names that have none.

    A dense layer of 0 units is left out.
    """
    names = units_of(head)
    layers = head.dense or ([_FIRST] if names[0] in values else [])
    changed: dict[str, Any] = {DROPOUT: values[DROPOUT]} if DROPOUT in values else {}
    dense = [
        layer.model_copy(update={"units": values.get(name, layer.units), **changed})
        for name, layer in zip(names, layers, strict=False)
        if values.get(name, layer.units)
    ]
    rate = values.get(LEARNING_RATE, frozen.learning_rate)
    return (
        head.model_copy(update={"dense": dense, **changed}),
        frozen.model_copy(update={LEARNING_RATE: rate}),
    )


def read_best(hyperparameters: Sequence[Artifact]) -> dict[str, Any]:
    """Returns the best trial's values by name; none where nothing was tuned.

    Args:
      hyperparameters: the HyperParameters artifact, if there is one.
    """
    for artifact in hyperparameters:
        with fileio.open(artifact_types.path_in(artifact, _BEST), "r") as file:
            return own(json.loads(file.read())["values"])
    return {}


def read_trials(results: Artifact) -> list[dict[str, Any]]:
    """Returns a row per trial, the best first, from a TunerResults artifact.

    `trial_id`, `score` (the smallest loss on `eval`; None where the trial diverged), `val_accuracy`
    of that epoch, `epochs`, and `values` by name.
    """
    with fileio.open(artifact_types.path_in(results, TRIALS), "r") as file:
        return json.loads(file.read())


def own(values: Values) -> dict[str, Any]:
    """Returns the values without those that KerasTuner adds for itself, as `tuner/epochs`."""
    return {name: value for name, value in values.items() if "/" not in name}
