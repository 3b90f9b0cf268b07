"""What happens around the epochs of a phase."""

from __future__ import annotations

import math
import time
from typing import Any

import keras
import numpy as np

from components.fit.seeds import reseed
from components.step import progress
from components.step.errors import TrainingError
from components.trainer.augmentation import Augmenter
from components.trainer.backup import Backup, State
from components.trainer.record import Record, Row

Logs = dict[str, Any] | None


class Repeatable(keras.callbacks.Callback):
    """Starts every epoch's random numbers (dropout, augmentation) anew from seed and epoch."""

    def __init__(self, seed: int, augmenter: Augmenter | None):
        super().__init__()
        self._seed = seed
        self._augmenter = augmenter

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        reseed(self.model.variables, self._seed, epoch)
        if self._augmenter:
            self._augmenter.begin_epoch(epoch)


class StopOnNonsense(keras.callbacks.Callback):
    """Ends the training at the first batch whose loss is no number."""

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


class KeepBest(keras.callbacks.Callback):
    """Keeps the weights with the smallest `eval` loss over both phases, and a row per epoch.

    A phase that never beats what it started from leaves the model as it found it. Loss rather than
    accuracy, which takes few values on a small `eval` split.
    """

    def __init__(self, phase: str, record: Record):
        super().__init__()
        self._phase = phase
        self._record = record
        self.weights: list[np.ndarray] = []
        """Of the best epoch."""

    def on_train_begin(self, logs: Logs = None) -> None:
        self.weights = self.weights or self.model.get_weights()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        figures = {key: float(value) for key, value in (logs or {}).items()}
        row: Row = {
            "phase": self._phase,
            "epoch": epoch + 1,
            **{key: figures[key] for key in ("loss", "accuracy", "val_loss", "val_accuracy")},
            "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)),
            "seconds": time.monotonic() - self._began,
        }
        self._record.epochs.append(row)
        if row["val_loss"] < self._record.best_loss:
            self._record.best_epoch = row
            self.weights = self._judged_weights()

    def on_train_end(self, logs: Logs = None) -> None:
        self.model.set_weights(self.weights)

    def _judged_weights(self) -> list[np.ndarray]:
        """The averaged ones where the optimizer averages: `eval` was measured with them."""
        optimizer = self.model.optimizer
        current = self.model.get_weights()
        if not optimizer.use_ema:
            return current
        optimizer.finalize_variable_values(self.model.trainable_variables)
        averaged = self.model.get_weights()
        self.model.set_weights(current)
        return averaged


class BackUp(keras.callbacks.Callback):
    """Writes the state after each epoch."""

    def __init__(self, phase: str, epochs: int, backup: Backup, record: Record, best: KeepBest):
        super().__init__()
        self._phase = phase
        self._epochs = epochs
        self._backup = backup
        self._record = record
        self._best = best

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._backup.write(
            State(
                phase=self._phase,
                epochs=epoch + 1,
                finished=epoch + 1 == self._epochs or self.model.stop_training,
                weights=self.model.get_weights(),
                optimizer=[variable.numpy() for variable in self.model.optimizer.variables],
                best=self._best.weights,
                rows=self._record.epochs,
                best_row=self._record.best_epoch,
            )
        )


class GoOn(keras.callbacks.Callback):
    """Puts the model, its optimizer and other callbacks to where an earlier attempt was."""

    def __init__(self, state: State, others: list[keras.callbacks.Callback]):
        """Makes the callback.

        Args:
          state: of the earlier attempt.
          others: callbacks, before this one in the list, that are told of its epochs once more.
        """
        super().__init__()
        self._state = state
        self._others = others

    def on_train_begin(self, logs: Logs = None) -> None:
        progress.report(f"going on after epoch {self._state.epochs} of phase {self._state.phase}")
        for row in self._state.rows:
            if row["phase"] == self._state.phase:
                for callback in self._others:
                    callback.on_epoch_end(row["epoch"] - 1, dict(row))
        optimizer = self.model.optimizer
        optimizer.build(self.model.trainable_variables)
        self.model.set_weights(self._state.weights)
        for variable, value in zip(optimizer.variables, self._state.optimizer, strict=True):
            variable.assign(value)


class Progress(keras.callbacks.Callback):
    """Tells how far the phase has come."""

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
