"""Writes what a fitted network leaves: history, SavedModel, its facts, and `model.keras`."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import tensorflow as tf
from tfx.dsl.io import fileio
from tfx.utils import path_utils

from components.artifacts import export_record, network_answers, score_facts
from components.errors import TrainingError
from components.files.space import check_space
from components.model.transform_graph import first_pictures
from components.settings.export import Served
from components.step import memory
from components.trainer import export_gain
from components.trainer.earlier_fit import MODEL_FILE
from components.trainer.export import WARMUP_PICTURES, export, smallest
from components.trainer.history import FILE as HISTORY
from components.trainer.scored_splits import fitted_scoring
from components.trainer.scoring import Scoring, with_features
from components.trainer.served_network import ServedNetwork, averaged
from components.trainer.training_inputs import TrainingInputs
from components.trainer.training_loop import Fitted
from serving.picture_settings import PictureSettings


def write(
    fitted: Fitted,
    inputs: TrainingInputs,
    model: str,
    logs: str,
    pictures: PictureSettings,
    served: Served,
) -> None:
    """Writes history and model.

    Args:
      fitted: the network and its history.
      inputs: of its training.
      model: URI of the Model artifact.
      logs: URI of the artifact of the training's record.
      pictures: the settings by which the training's pictures became canonical.
      served: the form in which the network is served.

    Raises:
      DiskFull: the disk has no room for the model.
      TrainingError: no epoch had a loss.
    """
    memory.give_back()  # of the training
    _write_history(fitted, logs)
    if fitted.history.best_epoch is None:
        raise TrainingError(
            "The loss on the eval split was NaN in every epoch: the training diverged. "
            "Lower training.frozen.learning_rate or training.unfrozen.learning_rate."
        )
    weights = 4 * fitted.network.classifier.count_params()
    copies = 3 if served.training_weights else 2  # the SavedModel and `model.keras`
    check_space("runtime.root", model, copies * weights)
    warmup = smallest(first_pictures(inputs.train, 8 * WARMUP_PICTURES))
    serving = path_utils.serving_model_dir(model)
    scoring, facts = fitted_scoring(fitted, inputs, served)
    form = export(
        fitted.network,
        inputs.pixels,
        inputs.model.backbone,
        inputs.classes,
        warmup,
        serving,
        pictures,
        served,
        scoring,
    )
    some = first_pictures(inputs.eval, network_answers.PICTURES)
    network_answers.write(model, inputs.classes, _scores(fitted, inputs, served, scoring, some))
    score_facts.write(model, facts)
    record = _record(form, fitted, inputs, served, scoring)
    for place in (model, logs):  # for InfraValidator, and for the report
        export_record.write(place, record)
    # Keras writes to local paths only.
    fitted.network.classifier.save(os.path.join(model, MODEL_FILE))


def _scores(
    fitted: Fitted, inputs: TrainingInputs, served: Served, scoring: Scoring, pictures: list[bytes]
) -> np.ndarray:
    """Returns the network's own scores: [pictures, classes] float32.

    A picture at a time: without a graph, Keras holds the maps of all layers at once.
    """
    outputs, found = with_features(fitted.network.classifier), []
    for picture in pictures:
        of_one = averaged(outputs, inputs.pixels(tf.constant([picture])), served)
        found.append(scoring(*of_one)["scores"].numpy())
    return np.concatenate(found)


def _write_history(fitted: Fitted, logs: str) -> None:
    for name, text in (
        (HISTORY, fitted.history.as_json()),
        ("history.csv", fitted.history.as_csv()),
    ):
        with fileio.open(os.path.join(logs, name), "w") as file:
            file.write(text)


def _record(
    form: ServedNetwork, fitted: Fitted, inputs: TrainingInputs, served: Served, scoring: Scoring
) -> dict[str, Any]:
    """Returns the form of the export, and what it gained where it is not the plain one."""
    record = {"precision": served.precision, "average_flips": served.average_flips}
    if served.plain:
        return record
    in_float32 = served.model_copy(update={"precision": "float32"})
    return record | export_gain.measured(
        form,
        ServedNetwork(fitted.network, in_float32, scoring),
        ServedNetwork(fitted.network),
        inputs.pixels,
        first_pictures(inputs.eval, export_gain.PICTURES),
    )
