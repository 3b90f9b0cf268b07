"""Optimizers with their learning rate's schedule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from components.settings.training import Phase

_KINDS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
}


def build_optimizer(
    phase: Phase, steps: int, scales: Mapping[str, float] | None = None
) -> keras.optimizers.Optimizer:
    """Returns a phase's optimizer.

    Args:
      phase: its settings.
      steps: batches per epoch.
      scales: by the path of a variable, what its learning rate is multiplied with; 1 if not named.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    arguments: dict[str, Any] = {
        "learning_rate": _schedule(phase, steps),
        # AdamW needs a number; the others take 0 for a decay to be worked out.
        "weight_decay": phase.weight_decay or (0.0 if phase.optimizer == "adamw" else None),
        "global_clipnorm": phase.clip_norm and phase.clip_norm / replicas,
        "use_ema": phase.ema is not None,
        "ema_momentum": phase.ema or 0.99,
    }
    if phase.optimizer in ("sgd", "rmsprop"):
        arguments["momentum"] = phase.momentum
    if phase.optimizer == "sgd":
        arguments["nesterov"] = phase.nesterov
    kind = _KINDS[phase.optimizer]
    if phase.clip_norm and replicas > 1:
        kind = _clipping_together(kind)
    optimizer = _scaled(kind, scales)(**arguments) if scales else kind(**arguments)
    if phase.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    return optimizer


def _schedule(phase: Phase, steps: int) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """A number where a callback moves it (`plateau`), or nothing does."""
    schedule, schedules = phase.schedule, keras.optimizers.schedules
    warmup = round(schedule.warmup_epochs * steps)
    rate: Any = phase.learning_rate
    if schedule.kind == "cosine":
        rate = schedules.CosineDecay(rate, max(1, phase.epochs * steps - warmup))
    elif schedule.kind == "exponential":
        rate = schedules.ExponentialDecay(rate, steps, schedule.factor)
    elif schedule.kind == "inverse_time":
        rate = schedules.InverseTimeDecay(rate, 1, schedule.factor)
    return WarmUp(rate, warmup) if warmup else rate


class WarmUp(keras.optimizers.schedules.LearningRateSchedule):
    """Rises from 0 to what another schedule starts with, and then follows that."""

    def __init__(self, then: float | keras.optimizers.schedules.LearningRateSchedule, steps: int):
        """Makes the schedule.

        Args:
          then: a rate, or the schedule afterwards.
          steps: batches until it begins.
        """
        super().__init__()
        self._then = then
        self._steps = steps

    def __call__(self, step: Any) -> tf.Tensor:
        """Returns the rate at a step, which counts from 0."""
        step = tf.cast(step, tf.float32)
        after = tf.maximum(step - self._steps, 0.0)
        rate = self._then(after) if callable(self._then) else self._then
        return rate * tf.minimum(1.0, (step + 1) / self._steps)

    def get_config(self) -> dict[str, Any]:
        return {"then": self._then, "steps": self._steps}


def _clipping_together(
    kind: type[keras.optimizers.Optimizer],
) -> type[keras.optimizers.Optimizer]:
    """Returns the optimizer that cuts the gradient of all devices; Keras cuts each one's own.

    Each device applies an equal part of the whole gradient, cut to an equal part of the norm:
    Keras adds them up.
    """

    class ClippingTogether(kind):
        def apply(self, grads: Any, trainable_variables: Any = None) -> None:
            devices = tf.distribute.get_replica_context()
            parts = devices.all_reduce(tf.distribute.ReduceOp.MEAN, list(grads))
            super().apply(parts, trainable_variables)

    return ClippingTogether


def _scaled(
    kind: type[keras.optimizers.Optimizer], scales: Mapping[str, float]
) -> type[keras.optimizers.Optimizer]:
    """Returns the optimizer with a rate of its own for each variable.

    Scaled gradients would not do: Adam divides by their size.
    """

    class Scaled(kind):
        def build(self, variables: list[keras.Variable]) -> None:
            super().build(variables)
            self._scales = [scales.get(variable.path, 1.0) for variable in variables]

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            scale = self._scales[self._get_variable_index(variable)]
            super().update_step(gradient, variable, learning_rate * scale)

    return Scaled


def eval_loss_callbacks(phase: Phase) -> list[keras.callbacks.Callback]:
    """Returns the callbacks that lower the rate or end the phase by the `eval` loss so far."""
    chosen: list[keras.callbacks.Callback] = []
    if phase.schedule.kind == "plateau":
        chosen.append(
            keras.callbacks.ReduceLROnPlateau(
                factor=phase.schedule.factor, patience=phase.schedule.patience, min_delta=0.0
            )
        )
    if phase.early_stopping is not None:
        chosen.append(keras.callbacks.EarlyStopping(patience=phase.early_stopping))
    return chosen


def layer_decay(base: keras.Model, first: int, decay: float) -> dict[str, float]:
    """Returns, by a variable's path, the scale of its rate: `decay` per layer below the head.

    Layers without trainable weights do not count (Howard and Ruder 2018, arXiv 1801.06146, call
    it discriminative fine-tuning).

    Args:
      base: the backbone, unfrozen from `first` on.
      first: index of its first trainable layer.
      decay: at most 1, which scales nothing.
    """
    if decay == 1:
        return {}
    learning = [layer for layer in base.layers[first:] if layer.trainable_variables]
    return {
        variable.path: decay**depth
        for depth, layer in enumerate(reversed(learning), start=1)
        for variable in layer.trainable_variables
    }
