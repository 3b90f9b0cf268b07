"""A manifest's values for training: how probable a label is, and how much a picture weighs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from components.artifacts import features
from components.errors import ConfigError, DataError, listed
from components.image_example_gen.sources.listing import SourceFile
from components.settings.data import Data
from serving.names import quoted, shown

_ALLOWED: Mapping[str, tuple[str, Callable[[float], bool]]] = {
    features.LABEL_PROBABILITY: ("a number from 0 to 1", lambda value: 0 <= value <= 1),
    # Within float32, in which the records hold it, with room for sums.
    features.WEIGHT: ("a number over 0, from 1e-30 to 1e30", lambda value: 1e-30 <= value <= 1e30),
}


def training_values(file: SourceFile, data: Data) -> dict[str, float]:
    """Returns a picture's label probability and weight, by feature; those that are not 1.

    Raises:
      ValueError: a value is no number, or not within its bounds.
    """
    found, columns = {}, dict(file.columns)
    for feature, column in _columns(data).items():
        text = columns.get(column, "")
        value = _number(text, *_ALLOWED[feature]) if text else 1.0
        if value != 1:
            found[feature] = value
    return found


def check_training_values(files: Sequence[SourceFile], data: Data) -> None:
    """Checks the columns that `data.label_probability` and `data.weight` name.

    Raises:
      ConfigError: no manifest has such a column.
      DataError: a value can't be used; the first ten are shown.
    """
    if not _columns(data):
        return
    there = {name for file in files for name, _ in file.columns}
    for feature, column in _columns(data).items():
        if column not in there:
            key = feature.removeprefix("image/")
            raise ConfigError(
                f"data.{key}: no column {quoted(column)}; there are "
                f"{', '.join(map(shown, sorted(there))) or 'none'}. It has to be a column of a "
                "manifest, beside path and label: name one of these."
            )
    faults = []
    for file in files:
        try:
            training_values(file, data)
        except ValueError as fault:
            faults.append(f"{shown(file.name)}: {fault}")
    if faults:
        raise DataError(
            f"data.source: values for training that can't be used:{listed(faults)}\nCorrect them "
            "in the manifest."
        )


def _columns(data: Data) -> dict[str, str]:
    """Returns the columns' names as a listing has them, by feature."""
    named = {
        features.LABEL_PROBABILITY: data.label_probability,
        features.WEIGHT: data.weight,
    }
    return {feature: column.lower() for feature, column in named.items() if column}


def _number(text: str, allowed: str, fits: Callable[[float], bool]) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not fits(value):
        raise ValueError(f"found {quoted(text)}, needed is {allowed}")
    return value
