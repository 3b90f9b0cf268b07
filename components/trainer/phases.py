"""The two phases of the fit: base frozen, then its top unfrozen."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from typing import Any

import keras
import tensorflow as tf

from components import progress
from components.settings.training import Frozen, Unfrozen


@dataclasses.dataclass
class Record:
    """What the fit did: a row per epoch, and the smallest `eval` loss so far."""

    epochs: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    best_loss: float = math.inf
    best_epoch: dict[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class Split:
    """Batches of (inputs, class indices), for training and for model selection."""

    train: tf.data.Dataset
    validation: tf.data.Dataset


def fit_phase(
    name: str,
    model: keras.Model,
    data: Split,
    settings: Frozen | Unfrozen,
    class_weight: dict[int, float] | None,
    record: Record,
    logs: str,
) -> None:
    """Fits `model` for one phase and leaves it with the best weights over all phases so far.

    Args:
      name: `frozen` or `unfrozen`.
      model: gives class probabilities; its trainable weights are what learns.
      data: what it reads.
      settings: epochs and optimizer.
      class_weight: weight of each class index in the loss, or None.
      record: gets a row per epoch.
      logs: folder of the TensorBoard events.
    """
    if settings.epochs == 0:
        return
    # Unfreezing asks for a new compile: Keras fixes what learns at that moment.
    model.compile(
        optimizer=_optimizer(settings),
        loss=keras.losses.SparseCategoricalCrossentropy(),
        metrics=["accuracy"],
    )
    model.fit(
        data.train,
        validation_data=data.validation,
        epochs=settings.epochs,
        class_weight=class_weight,
        verbose=0,
        callbacks=[
            _KeepBest(name, record),
            _Progress(name, settings.epochs),
            keras.callbacks.TensorBoard(os.path.join(logs, name), write_graph=False),
        ],
    )


def _optimizer(settings: Frozen | Unfrozen) -> keras.optimizers.Optimizer:
    rate = settings.learning_rate
    if settings.optimizer == "adam":
        return keras.optimizers.Adam(rate)
    if settings.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(rate, momentum=settings.momentum)
    return keras.optimizers.SGD(rate, momentum=settings.momentum)


class _KeepBest(keras.callbacks.Callback):
    """Keeps the weights with the smallest `eval` loss over both phases, and a row per epoch.

    A phase that never beats what it started from leaves the model as it found it. Loss rather than
    accuracy, which takes few values on a small `eval` split.
    """

    def __init__(self, phase: str, record: Record):
        super().__init__()
        self._phase = phase
        self._record = record

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._weights = self.model.get_weights()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        figures = {key: float(value) for key, value in (logs or {}).items()}
        row = {
            "phase": self._phase,
            "epoch": epoch + 1,
            **figures,
            "learning_rate": float(self.model.optimizer.learning_rate),
            "seconds": time.monotonic() - self._began,
        }
        self._record.epochs.append(row)
        if figures["val_loss"] < self._record.best_loss:
            self._record.best_loss = figures["val_loss"]
            self._record.best_epoch = row
            self._weights = self.model.get_weights()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.model.set_weights(self._weights)


class _Progress(keras.callbacks.Callback):
    """Tells how far the phase has come."""

    def __init__(self, phase: str, epochs: int):
        super().__init__()
        self._phase = phase
        self._epochs = epochs
        self._text = f"phase {phase}"

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        progress.report(f"{self._text}, batch {batch + 1}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        accuracy = (logs or {})["val_accuracy"]
        self._text = f"phase {self._phase}, eval accuracy {accuracy:.3f}"
        progress.report(self._text, epoch + 1, self._epochs)
