"""The callbacks of a phase: random numbers, state, NaN, progress."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from components.errors import TrainingError
from components.fit.seeds import reseed
from components.settings.training import Keep
from components.step import progress
from components.trainer.augmentation import Augmenter
from components.trainer.history import Row
from components.trainer.training_state import TrainingState

Logs = dict[str, Any] | None


class Reseed(keras.callbacks.Callback):
    """Starts every epoch's random numbers (dropout, augmentation) anew from seed and epoch."""

    def __init__(self, seed: int, augmenter: Augmenter | None):
        super().__init__()
        self._seed = seed
        self._augmenter = augmenter

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        reseed(self.model.variables, self._seed, epoch)
        if self._augmenter:
            self._augmenter.begin_epoch(epoch)


class StopOnNaN(keras.callbacks.Callback):
    """Raises an error at the first batch whose loss is NaN or infinite."""

    def __init__(self, phase: str):
        super().__init__()
        self._phase = phase

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss became {loss} in batch {batch + 1} of epoch {self._epoch}, phase "
                f"{self._phase}: the training diverged. Lower training.{self._phase}."
                f"learning_rate, or set training.{self._phase}.clip_norm=1."
            )


class KeepState(keras.callbacks.Callback):
    """Restores the training's state before the first epoch; updates and saves it after each."""

    def __init__(
        self,
        state: TrainingState,
        folder: str | None,
        epochs: int,
        followers: Sequence[keras.callbacks.Callback],
        keep: Keep = "best_loss",
    ):
        """Makes the callback.

        Args:
          state: of this training, within the phase.
          folder: where it is saved; None: nowhere.
          epochs: of the phase.
          followers: the callbacks that follow the loss on `eval`. They stand before this one among
            those of the fit, since what they change (rate, end of the phase) is saved.
          keep: when an epoch's weights take the place of those kept so far.
        """
        super().__init__()
        self._state = state
        self._folder = folder
        self._epochs = epochs
        self._followers = followers
        self._keep = keep

    def on_train_begin(self, logs: Logs = None) -> None:
        if self._state.epoch == 0:
            return
        for row in self._state.history.of(self._state.phase):
            for follower in self._followers:
                follower.on_epoch_end(row["epoch"] - 1, dict(row))
        self._state.restore(self.model)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._began = time.monotonic()

    def on_test_begin(self, logs: Logs = None) -> None:
        # After the epoch's last batch, and before a follower lowers the rate for the next one.
        self._rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        state = self._state
        if state.history.add(self._row(epoch, logs or {}), self._keep):
            state.best = _judged_weights(self.model)
        state.epoch = epoch + 1
        state.finished = state.epoch == self._epochs or self.model.stop_training
        if self._folder is not None:
            state.with_weights(self.model).save(self._folder)

    def _row(self, epoch: int, logs: dict[str, Any]) -> Row:
        metrics = ("loss", "accuracy", "val_loss", "val_accuracy")
        return {
            "phase": self._state.phase,
            "epoch": epoch + 1,
            **{name: float(logs[name]) for name in metrics},
            "learning_rate": self._rate,
            "seconds": time.monotonic() - self._began,
        }


def _judged_weights(model: keras.Model) -> list[np.ndarray]:
    """Returns the averaged weights where the optimizer averages: `eval` was measured with them."""
    current = model.get_weights()
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)  # of a loss scale's
    if not optimizer.use_ema:
        return current
    optimizer.finalize_variable_values(model.trainable_variables)
    averaged = model.get_weights()
    model.set_weights(current)
    return averaged


class Progress(keras.callbacks.Callback):
    """Reports batch, epoch and accuracy of the phase."""

    def __init__(self, phase: str, epochs: int):
        super().__init__()
        self._phase = phase
        self._epochs = epochs
        self._text = f"phase {phase}"

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        progress.report(f"{self._text}, batch {batch + 1}")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        accuracy = (logs or {})["val_accuracy"]
        self._text = f"phase {self._phase}, eval accuracy {accuracy:.3f}"
        progress.report(self._text, epoch + 1, self._epochs)
