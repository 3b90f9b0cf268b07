"""The client's results."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """The classes of one picture, the best first, with their scores (probabilities)."""

    classes: tuple[str, ...]
    scores: tuple[float, ...]
    certain: bool | None = None
    """Whether the model is certain of the best class; None where it does not tell."""
    distance: float | None = None
    """Of the picture's features to those of the training pictures; None where it is not told."""


@dataclass(frozen=True)
class VersionStatus:
    """One version that the server tracks.

    `state` is START, LOADING, AVAILABLE, UNLOADING or END; `error` is empty unless it failed.
    """

    version: int
    state: str
    error: str


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: its dtype, such as DT_STRING, and its shape with -1 for any size."""

    dtype: str
    shape: tuple[int, ...] | None  # None where the rank is not known


@dataclass(frozen=True)
class Signature:
    """The inputs and outputs of a signature, by alias."""

    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]
