"""What `evaluate` keeps of a model's answer."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a model predicts for one picture."""

    predicted: str
    score: float
