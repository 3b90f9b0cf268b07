"""A model's answer, as `evaluate` keeps it."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Answer:
    """A model's prediction for one picture."""

    predicted: str
    score: float
