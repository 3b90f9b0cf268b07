"""The training loop: phase after phase is prepared, compiled and fitted."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable

import keras

from components.fit import class_weights
from components.fit.losses import WeightedCrossentropy
from components.fit.optimizers import build_optimizer, eval_loss_callbacks
from components.model.network import Network
from components.settings.training import Keep
from components.step import memory, progress
from components.trainer.callbacks import KeepState, Progress, Reseed, StopOnNaN
from components.trainer.distribution import is_chief, shares
from components.trainer.history import History
from components.trainer.phases import Phase, Prepared, make_phases
from components.trainer.starting_network import starting_network
from components.trainer.training_inputs import TrainingInputs
from components.trainer.training_state import TrainingState


@dataclasses.dataclass(frozen=True)
class Fitted:
    """The network with its best weights, and the history of its training."""

    network: Network
    history: History


def fit(inputs: TrainingInputs, logs: str, work: str, scratch: str | None = None) -> Fitted:
    """Fits a network in all phases.

    Args:
      inputs: the training.
      logs: folder of TensorBoard events and the sheet of augmented pictures.
      work: this training's own folder; the training resumes from the state saved there, if any.
      scratch: local folder of what is large and of no use to another attempt; `work` if left out.

    Raises:
      RecordsLost: as `TrainingLoop.run` says.
      TrainingError: the loss became NaN.
    """
    network = starting_network(inputs)
    state = TrainingState.load(work)
    if state.phase is not None:
        progress.note(f"resumes after epoch {state.epoch} of phase {state.phase}")
    loop = TrainingLoop(
        state=state,
        work=work,
        logs=logs,
        seed=inputs.training.seed,
        class_weight=_class_weight(inputs),
        label_smoothing=inputs.training.label_smoothing,
        keep=inputs.training.keep,
    )
    loop.run(make_phases(inputs, network, logs, scratch or work, work))
    return Fitted(network, loop.state.history)


def _class_weight(inputs: TrainingInputs) -> dict[int, float] | None:
    if inputs.training.class_weights is None:
        return None
    return class_weights.of_split(inputs.train, inputs.classes)


@dataclasses.dataclass(kw_only=True)
class TrainingLoop:
    """Fits phases, and leaves the weights of the epoch that is kept of all of them.

    A phase without an epoch to keep leaves the model as it was.
    """

    state: TrainingState
    """The state from which the training resumes, and its state from there on."""
    work: str
    """Folder in which the state is saved."""
    logs: str
    """Folder of the TensorBoard events."""
    seed: int
    """Of dropout and augmentation."""
    class_weight: dict[int, float] | None = None
    """Weight of each class index in the loss."""
    label_smoothing: float = 0.0
    """Part of each label that is spread over all classes."""
    keep: Keep = "best_loss"
    """Which epoch is kept, in phases without a rule of their own."""

    def run(self, phases: Iterable[Phase]) -> None:
        """Fits each phase that an earlier attempt has not finished.

        Raises:
          RecordsLost: a split has more or fewer records than the ingest wrote; within a
            TensorFlow error, of which every step's executor unwraps it.
          TrainingError: the loss became NaN.
        """
        for phase in phases:
            if phase.settings.epochs == 0 or self.state.is_past(phase.name):
                continue
            prepared = phase.prepare()
            memory.give_back()  # of the pass over the frozen layers, and of the phase before
            self.state.begin(phase.name, prepared.learner)
            if not self.state.finished:
                self._compile(phase, prepared)
                self._fit(phase, prepared)
            prepared.learner.set_weights(self.state.best)

    def _compile(self, phase: Phase, prepared: Prepared) -> None:
        """Compiles anew in each phase: Keras fixes what is trainable at that moment."""
        learner = prepared.learner
        optimizer = build_optimizer(phase.settings, prepared.data.steps, prepared.rate_scales)
        if prepared.precision == "float16":  # whose range is small; bfloat16 has float32's
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        learner.compile(
            optimizer=optimizer,
            loss=WeightedCrossentropy(self.label_smoothing),
            # An object, whose variables are made here: within a step there is no place for them.
            metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")],
            # XLA has no kernels for what turns pictures, and compiles longer than small fits take.
            jit_compile=False,
        )
        learner.optimizer.build(learner.trainable_variables)

    def _fit(self, phase: Phase, prepared: Prepared) -> None:
        data, done, epochs = prepared.data, self.state.epoch, phase.settings.epochs
        prepared.learner.fit(
            **shares(data, done, epochs, self.class_weight),
            steps_per_epoch=data.steps,
            initial_epoch=done,
            epochs=epochs,
            verbose=0,
            callbacks=self._callbacks(phase, prepared),
        )

    def _callbacks(self, phase: Phase, prepared: Prepared) -> list[keras.callbacks.Callback]:
        name, epochs = phase.name, phase.settings.epochs
        followers = eval_loss_callbacks(phase.settings)
        folder = self.work if is_chief() else None
        return [
            Reseed(self.seed, prepared.augmenter),
            StopOnNaN(name),
            *followers,
            KeepState(self.state, folder, epochs, followers, phase.settings.keep or self.keep),
            *([keras.callbacks.SwapEMAWeights()] if phase.settings.ema else []),
            Progress(name, epochs),
            keras.callbacks.TensorBoard(os.path.join(self.logs, name), write_graph=False),
        ]
