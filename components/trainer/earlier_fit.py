"""Takes over what an earlier training in the same root fitted, where the export alone is new.

A Model artifact names the fit of its weights, by a digest of all that the fit depended on. The
settings of the export are not among that: another form of the served model takes no new training.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import keras
from tfx.dsl.io import fileio

from components.files.copies import copy_here, on_this_machine
from components.model.network import build_network
from components.pretrained.base import build_base
from components.step import progress
from components.trainer.history import FILE, History
from components.trainer.training_inputs import TrainingInputs
from components.trainer.training_loop import Fitted

MODEL_FILE = "model.keras"
"""The whole network with its weights, in a Model artifact."""

_FIT = "fit.txt"


class EarlierFit(NamedTuple):
    """The outputs of a training that is over."""

    model: str
    logs: str


def note(model: str, work: str) -> None:
    """Names a Model artifact's fit in it; comes last, so that an unfinished one names none.

    Args:
      model: the artifact's URI.
      work: the training's folder, which is named by all that its fit depends on.
    """
    with fileio.open(os.path.join(model, _FIT), "w") as file:
        file.write(os.path.basename(work))


def find(work: str) -> EarlierFit | None:
    """Returns the newest outputs in the root that came of the same fit, if there are any.

    Args:
      work: the training's folder in the Trainer's.
    """
    node, fit = os.path.dirname(os.path.dirname(work)), os.path.basename(work)
    models = os.path.join(node, "model")
    names = fileio.listdir(models) if fileio.exists(models) else []
    # Others are put aside: somebody changed them.
    executions = sorted((name for name in names if name.isdecimal()), key=int, reverse=True)
    for execution in executions:
        found = EarlierFit(*(os.path.join(node, key, execution) for key in ("model", "model_run")))
        there = fileio.exists(os.path.join(found.logs, FILE))
        if there and _fit_of(found.model) == fit:
            return found
    return None


def _fit_of(model: str) -> str | None:
    path = os.path.join(model, _FIT)
    if not fileio.exists(path) or not fileio.exists(os.path.join(model, MODEL_FILE)):
        return None
    with fileio.open(path) as file:
        return str(file.read())


def take_over(earlier: EarlierFit, inputs: TrainingInputs, logs: str) -> Fitted:
    """Returns the network and the history of an earlier fit.

    Args:
      earlier: its outputs.
      inputs: of the training.
      logs: the folder for its events and its sheet of augmented pictures, which are copied.
    """
    execution = os.path.basename(earlier.model)
    progress.note(f"takes the weights of Trainer's execution {execution}: the export alone is new")
    for folder, _, names in fileio.walk(earlier.logs):
        place = os.path.join(logs, os.path.relpath(folder, earlier.logs))
        fileio.makedirs(place)
        for name in names:
            copy_here(os.path.join(folder, name), os.path.join(place, name))
    with fileio.open(os.path.join(earlier.logs, FILE)) as file:
        history = History.of_json(file.read())
    keras.utils.set_random_seed(inputs.training.seed)
    model = inputs.model
    base = build_base(model.backbone, inputs.pixels.size, None)
    network = build_network(base, model.head, len(inputs.classes), model.features)
    with on_this_machine(os.path.join(earlier.model, MODEL_FILE)) as file:
        network.classifier.load_weights(file)
    return Fitted(network, history)
