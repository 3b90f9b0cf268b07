"""Searches for the head that phase `frozen` fits best."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from tfx.components.tuner import executor as tfx_executor
from tfx.dsl.io import fileio

from components.artifacts import types as artifact_types
from components.errors import TrainingError
from components.fit import tuned_settings
from components.model.network import build_extractor
from components.pretrained.base import build_base
from components.settings.base import AtLeastOne, Section
from components.settings.model import Model
from components.settings.training import Training
from components.settings.tuner import Tuner
from components.step.artifacts import Artifacts
from components.step.base import StepExecutor
from components.tuner.bottlenecks import read_bottlenecks
from components.tuner.search import Metrics, Search
from components.tuner.trial import run_trial


class TunerSettings(Section):
    """The settings that decide a search."""

    model: Model
    """Without its weights, which do not count here."""
    size: list[AtLeastOne]
    """Height and width in pixels."""
    training: Training
    """Phase `frozen` and what both phases share; all else has its default."""
    tuner: Tuner

    @classmethod
    def of(cls, model: Model, size: list[int], training: Training, tuner: Tuner) -> TunerSettings:
        """Returns what counts here of the configuration's sections."""
        shared = ("batch_size", "seed", "class_weights", "label_smoothing", "frozen")
        return cls(
            model=model.model_copy(update={"weights": None}),
            size=size,
            training=Training(**{key: getattr(training, key) for key in shared}),
            tuner=tuner,
        )


class Executor(StepExecutor[TunerSettings]):
    """Writes the best values, and a table of all trials, in TFX's formats and `trials.json`."""

    SETTINGS = TunerSettings

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: TunerSettings, facts: dict[str, str]
    ) -> None:
        results = outputs.one("tuner_results")
        fileio.makedirs(results.uri)
        # Features may take gigabytes: as all that is large, they belong under the root.
        with tempfile.TemporaryDirectory(dir=results.uri) as folder:
            search = _search(inputs, settings, Path(folder))
        trials = search.trials()
        if not trials or trials[0]["score"] is None:
            raise TrainingError(
                f"All {len(trials)} trials diverged: the loss became NaN. Lower the bounds "
                "of tuner.learning_rate, or set training.frozen.clip_norm=1."
            )
        tfx_executor.write_best_hyperparameters(search, outputs)
        with fileio.open(artifact_types.path_in(results, tuned_settings.TRIALS), "w") as file:
            file.write(json.dumps(trials, indent=1))


def _search(inputs: Artifacts, settings: TunerSettings, folder: Path) -> Search:
    model, training, tuner = settings.model, settings.training, settings.tuner
    base = build_base(model.backbone, settings.size, None)
    data = read_bottlenecks(
        inputs.uri("bottlenecks"),
        build_extractor(base, model.head, model.features).output_shape[1:],
        artifact_types.read(inputs.one("class_list")),
        training,
        folder,
    )
    most = tuner.epochs or training.frozen.epochs
    phase = training.frozen.model_copy(update={"epochs": most})

    def attempt(
        values: tuned_settings.Values, epochs: int, report: Callable[[int], None]
    ) -> Metrics:
        head, frozen = tuned_settings.apply(values, model.head, phase)
        return run_trial(data, head, frozen, training, epochs, report)

    search = Search(tuner, model.head, most, training.seed, attempt, folder)
    search.search(verbose=0)
    return search
