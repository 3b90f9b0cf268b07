"""KerasTuner's search: its space, its order of trials, and their results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine import base_tuner
from keras_tuner.engine.trial import Trial

from components.fit import tuned_settings
from components.settings.model import Head
from components.settings.tuner import Tuner
from components.step import progress
from components.tuner.trial import Diverged

Metrics = dict[str, float]
Try = Callable[[tuned_settings.Values, int, Callable[[int], None]], Metrics]
"""Fits with some values for so many epochs, reports each, and returns the metrics."""

_OBJECTIVE = keras_tuner.Objective("val_loss", "min")
_EPOCHS = "tuner/epochs"  # where hyperband says how long a trial may be


def space(settings: Tuner, head: Head) -> keras_tuner.HyperParameters:
    """Returns the space of the search, by the names of `components.fit.tuned_settings`."""
    found = keras_tuner.HyperParameters()
    for name in tuned_settings.units_of(head) if settings.units else ():
        found.Choice(name, settings.units)
    if settings.dropout:
        found.Float(tuned_settings.DROPOUT, *settings.dropout)
    if settings.learning_rate:
        found.Float(tuned_settings.LEARNING_RATE, *settings.learning_rate, sampling="log")
    return found


class Search(base_tuner.BaseTuner):
    """Runs one trial after the other; the same settings try the same values."""

    def __init__(
        self, settings: Tuner, head: Head, epochs: int, seed: int, attempt: Try, folder: Path
    ):
        """Prepares the search.

        Args:
          settings: algorithm, number of trials and what is searched.
          head: whose layers are varied.
          epochs: of a trial, at most.
          seed: of what is tried.
          attempt: runs a trial.
          folder: where KerasTuner keeps its state.
        """
        oracle = _oracle(settings, space(settings, head), epochs, seed)
        super().__init__(oracle, directory=str(folder), project_name="search")
        self._epochs = epochs
        self._attempt = attempt

    def run_trial(self, trial: Trial, **_: Any) -> Metrics:
        values = trial.hyperparameters.values
        epochs = int(values.get(_EPOCHS, self._epochs))
        done, total = len(self.oracle.end_order), self.oracle.max_trials
        text = f"trials, {self._best()}"

        def report(epoch: int) -> None:
            progress.report(f"{text}; now epoch {epoch} of {epochs}", done, total)

        try:
            return self._attempt(values, epochs, report)
        except Diverged as error:
            raise keras_tuner.errors.FailedTrialError("the loss became NaN") from error
        except Exception as error:
            # KerasTuner would continue after any other error, as if that trial had diverged.
            raise keras_tuner.errors.FatalError(f"{type(error).__name__}: {error}") from error

    def _best(self) -> str:
        done = [trial for trial in self.trials() if trial["score"] is not None]
        return f"smallest eval loss {done[0]['score']:.4f}" if done else "none finished"

    def trials(self) -> list[dict[str, Any]]:
        """Returns a row per trial as `components.fit.tuned_settings.read_trials` does."""
        rows = [self._row(trial) for trial in self.oracle.trials.values()]
        return sorted(rows, key=lambda row: (row["score"] is None, row["score"]))

    def _row(self, trial: Trial) -> dict[str, Any]:
        done, values = trial.status == "COMPLETED", trial.hyperparameters.values
        return {
            "trial_id": trial.trial_id,
            "score": trial.score if done else None,
            "val_accuracy": trial.metrics.get_best_value("val_accuracy") if done else None,
            "epochs": values.get(_EPOCHS, self._epochs),
            "values": tuned_settings.own(values),
        }


def _oracle(
    settings: Tuner, searched: keras_tuner.HyperParameters, epochs: int, seed: int
) -> keras_tuner.Oracle:
    common: dict[str, Any] = {
        "objective": _OBJECTIVE,
        "hyperparameters": searched,
        "allow_new_entries": False,
        "tune_new_entries": False,
        "seed": seed + 1,  # 0 would be drawn
        "max_consecutive_failed_trials": settings.trials + 1,  # the others may still be good
    }
    oracles = keras_tuner.oracles
    if settings.algorithm == "random":
        return oracles.RandomSearchOracle(max_trials=settings.trials, **common)
    if settings.algorithm == "bayesian":
        return oracles.BayesianOptimizationOracle(max_trials=settings.trials, **common)
    # As many rounds as there are trials: it is their number that ends the search.
    oracle = oracles.HyperbandOracle(
        max_epochs=epochs, hyperband_iterations=settings.trials, **common
    )
    oracle.max_trials = settings.trials
    return oracle
