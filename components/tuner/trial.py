"""One trial: a head that is fitted as phase `frozen` fits it, and judged on the `eval` split."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras

from components.fit.losses import WeightedCrossentropy, weighted
from components.fit.optimizers import build_optimizer, eval_loss_callbacks
from components.fit.seeds import reseed
from components.model.network import build_head
from components.model.standardization import set_statistics
from components.settings.model import Head
from components.settings.training import Frozen, Training
from components.tuner.bottlenecks import Bottlenecks


class Diverged(Exception):
    """A loss became NaN or infinite."""


def compiled_head(
    bottlenecks: Bottlenecks, head: Head, training: Training, optimizer: keras.optimizers.Optimizer
) -> keras.Model:
    """Builds and compiles the head, with the weights that the Trainer's would start from."""
    keras.utils.set_random_seed(training.seed)
    model = build_head(head, bottlenecks.shape, bottlenecks.classes)
    if head.standardize:
        set_statistics(model, bottlenecks.train_features())
    model.compile(
        optimizer=optimizer,
        loss=WeightedCrossentropy(training.label_smoothing),
        metrics=["accuracy"],
        jit_compile=False,  # compiling takes longer than such a fit
    )
    return model


def run_trial(
    bottlenecks: Bottlenecks,
    head: Head,
    frozen: Frozen,
    training: Training,
    epochs: int,
    report: Callable[[int], None],
) -> dict[str, float]:
    """Fits a head.

    Args:
      bottlenecks: what it reads.
      head: the head.
      frozen: the phase; schedules run over its epochs.
      training: seed, label smoothing and class weights.
      epochs: after which the trial ends, at most those of the phase.
      report: is called with the number of finished epochs.

    Returns:
      `val_loss` and `val_accuracy` of the epoch with the smallest loss on `eval`.

    Raises:
      Diverged: a loss became NaN or infinite.
    """
    keras.utils.clear_session()  # else each trial's graphs stay in memory
    data = bottlenecks.data
    model = compiled_head(bottlenecks, head, training, build_optimizer(frozen, data.steps))
    class_weight = bottlenecks.class_weights() if training.class_weights else None
    history = model.fit(
        weighted(data.epochs(0, epochs), class_weight),
        steps_per_epoch=data.steps,
        epochs=epochs,
        validation_data=data.validation,
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, _: reseed(model.variables, training.seed, epoch),
                on_epoch_end=lambda epoch, _: report(epoch + 1),
            ),
            keras.callbacks.TerminateOnNaN(),
            *eval_loss_callbacks(frozen),
            *([keras.callbacks.SwapEMAWeights()] if frozen.ema else []),
        ],
    ).history
    losses = [*history["loss"], *history["val_loss"]]
    if not all(math.isfinite(loss) for loss in losses):
        raise Diverged
    best = min(range(len(history["val_loss"])), key=history["val_loss"].__getitem__)
    return {name: float(history[name][best]) for name in ("val_loss", "val_accuracy")}
