"""Searches for the head that phase `frozen` fits best."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tfx.components.tuner import executor as tfx_executor
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import types as artifact_types
from components.fit import tuned_settings
from components.model.network import build_extractor
from components.pretrained.base import build_base
from components.settings.model import Model
from components.settings.training import Training
from components.settings.tuner import Tuner
from components.step.errors import TrainingError
from components.tuner.bottlenecks import read_bottlenecks
from components.tuner.search import Metrics, Search
from components.tuner.trial import run_trial


class Executor(base_executor.BaseExecutor):
    """Writes the best values, and a table of all trials, in TFX's formats and `trials.json`."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        results = artifact_utils.get_single_instance(output_dict["tuner_results"])
        fileio.makedirs(results.uri)
        # Features may take gigabytes: as all that is large, they belong under the root.
        with tempfile.TemporaryDirectory(dir=results.uri) as folder:
            search = _search(input_dict, exec_properties, Path(folder))
        trials = search.trials()
        if not trials or trials[0]["score"] is None:
            raise TrainingError(
                f"All {len(trials)} trials diverged: the loss became NaN. Lower the bounds "
                "of tuner.learning_rate, or set training.frozen.clip_norm=1."
            )
        tfx_executor.write_best_hyperparameters(search, output_dict)
        with fileio.open(artifact_types.path_in(results, tuned_settings.TRIALS), "w") as file:
            file.write(json.dumps(trials, indent=1))


def _search(
    input_dict: dict[str, list[Artifact]], exec_properties: dict[str, Any], folder: Path
) -> Search:
    model = Model.model_validate_json(exec_properties["network"])
    training = Training.model_validate_json(exec_properties["training"])
    settings = Tuner.model_validate_json(exec_properties["tuner"])
    size = [exec_properties["height"], exec_properties["width"]]
    data = read_bottlenecks(
        artifact_utils.get_single_uri(input_dict["bottlenecks"]),
        build_extractor(build_base(model.backbone, size, None), model.head).output_shape[1:],
        artifact_types.read(artifact_utils.get_single_instance(input_dict["class_list"])),
        training.batch_size,
        training.seed,
        folder,
    )
    most = settings.epochs or training.frozen.epochs
    phase = training.frozen.model_copy(update={"epochs": most})

    def attempt(
        values: tuned_settings.Values, epochs: int, report: Callable[[int], None]
    ) -> Metrics:
        head, frozen = tuned_settings.apply(values, model.head, phase)
        return run_trial(data, head, frozen, training, epochs, report)

    search = Search(settings, model.head, most, training.seed, attempt, folder)
    search.search(verbose=0)
    return search
