"""A small training on made pictures, and a way to kill one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from components.model.transform_graph import Pixels
from components.settings.model import Head, Model
from components.settings.training import Training
from components.step import progress
from components.trainer.training_inputs import TrainingInputs
from components.trainer.training_loop import Fitted, fit

CLASSES = ["blue", "green", "red"]
FROZEN = {"epochs": 2, "learning_rate": 0.01, "features": "end_to_end"}
UNFROZEN = {"epochs": 3, "learning_rate": 1e-4, "from_layer": "conv_dw_12"}


class Killed(BaseException):
    """Raised by a test where a machine would lose power."""


def inputs(pixels: Pixels, split: str, **training: Any) -> TrainingInputs:
    """A random MobileNet on a split that serves for training and `eval` alike."""
    settings = {"batch_size": 10, "frozen": FROZEN, "unfrozen": UNFROZEN, **training}
    return TrainingInputs(
        model=Model(backbone="mobilenet", weights=None, head=Head(dropout=0.3)),
        training=Training.model_validate(settings),
        classes=CLASSES,
        pixels=pixels,
        train=split,
        eval=split,
    )


class Epochs(logging.Handler):
    """Counts epochs by the progress that a training reports, and kills it after some."""

    def __init__(self, kill_after: int | None = None):
        super().__init__()
        self.ended = 0
        self.notes: list[str] = []
        self._kill_after = kill_after

    def emit(self, record: Any) -> None:
        if getattr(record, "lasting", False):
            self.notes.append(record.getMessage())
        if record.getMessage().startswith("phase ") and record.done is not None:
            self.ended += 1
            if self.ended == self._kill_after:
                raise Killed


def train(given: TrainingInputs, folder: Path, epochs: Epochs | None = None) -> Fitted:
    """Fits in `folder`, and resumes from the state that an earlier call left there."""
    logs, work = folder / "logs", folder / "work"
    logs.mkdir(parents=True, exist_ok=True)
    work.mkdir(exist_ok=True)
    handler = epochs or Epochs()
    progress.LOGGER.addHandler(handler)
    try:
        return fit(given, str(logs), str(work))
    finally:
        progress.LOGGER.removeHandler(handler)
