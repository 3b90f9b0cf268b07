"""The two phases of the fit: base frozen, then its top unfrozen."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping

import keras

from components.fit.optimizers import build_optimizer, eval_loss_callbacks
from components.fit.training_data import Data
from components.settings.training import Phase
from components.trainer.augmentation import Augmenter
from components.trainer.backup import Backup, State
from components.trainer.callbacks import (
    BackUp,
    GoOn,
    KeepBest,
    Progress,
    Repeatable,
    StopOnNonsense,
)
from components.trainer.distribution import is_chief, shares
from components.trainer.learner import Learner
from components.trainer.record import Record

PHASES = ("frozen", "unfrozen")


@dataclasses.dataclass
class Fit:
    """What both phases share.

    Attributes:
      seed: of dropout and augmentation.
      class_weight: weight of each class index in the loss, or None.
      label_smoothing: part of each label that is spread over all classes.
      logs: folder of the TensorBoard events.
      backup: where an interrupted training goes on from.
      augmenter: changes training pictures, or None.
      record: gets a row per epoch.
    """

    seed: int
    class_weight: dict[int, float] | None
    label_smoothing: float
    logs: str
    backup: Backup
    augmenter: Augmenter | None = None
    record: Record = dataclasses.field(default_factory=Record)

    def phase(
        self,
        name: str,
        learner: Learner,
        data: Data,
        settings: Phase,
        scales: Mapping[str, float] | None = None,
    ) -> None:
        """Fits for one phase and leaves the learner with the best weights over all phases so far.

        Args:
          name: `frozen` or `unfrozen`.
          learner: gives class probabilities.
          data: what it reads.
          settings: epochs and optimizer.
          scales: of the learning rate, by a variable's path.

        Raises:
          TrainingError: the loss is no number any more.
        """
        state = self.backup.state
        if settings.epochs == 0 or _passed(name, state):
            return
        resumed = state if state is not None and state.phase == name else None
        best = KeepBest(name, self.record)
        if resumed:
            self.record.epochs[:], self.record.best_epoch = resumed.rows, resumed.best_row
            best.weights = resumed.best
        if resumed and resumed.finished:
            learner.set_weights(resumed.best)
            return
        # Unfreezing asks for a new compile: Keras fixes what learns at that moment.
        learner.compile(
            optimizer=build_optimizer(settings, data.steps, scales),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=self.label_smoothing),
            # An object, whose variables are made here: within a step there is no place for them.
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
            # XLA has no kernels for what turns pictures, and compiles longer than small fits take.
            jit_compile=False,
        )
        learner.optimizer.build(learner.trainable_variables)
        done = resumed.epochs if resumed else 0
        learner.fit(
            **shares(data.epochs(done, settings.epochs), data.validation, self.class_weight),
            steps_per_epoch=data.steps,
            initial_epoch=done,
            epochs=settings.epochs,
            verbose=0,
            callbacks=self._callbacks(name, settings, best, resumed),
        )

    def _callbacks(
        self, name: str, settings: Phase, best: KeepBest, resumed: State | None
    ) -> list[keras.callbacks.Callback]:
        early = eval_loss_callbacks(settings)
        return [
            Repeatable(self.seed, self.augmenter),
            StopOnNonsense(name),
            best,  # before what moves the rate: a row tells the one that was used
            *early,
            *([GoOn(resumed, early)] if resumed else []),
            *([keras.callbacks.SwapEMAWeights()] if settings.ema else []),
            *(
                [BackUp(name, settings.epochs, self.backup, self.record, best)]
                if is_chief()
                else []
            ),
            Progress(name, settings.epochs),
            keras.callbacks.TensorBoard(os.path.join(self.logs, name), write_graph=False),
        ]


def _passed(name: str, state: State | None) -> bool:
    """Whether an earlier attempt was in a later phase."""
    return state is not None and PHASES.index(state.phase) > PHASES.index(name)
