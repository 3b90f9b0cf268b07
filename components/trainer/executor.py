"""Fits the classifier in two phases and exports the best one by the `eval` split."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils
from tfx.utils import path_utils

from components.artifacts import features, network_answers
from components.artifacts import types as artifact_types
from components.files.paths import is_remote
from components.fit import tuned_settings
from components.model.transform_graph import first_pictures
from components.settings.model import Model
from components.settings.training import Training
from components.step.errors import TrainingError
from components.trainer import job as job_file
from components.trainer import work_folder
from components.trainer.distribution import make_strategy
from components.trainer.export import WARMUP_PICTURES, export, smallest
from components.trainer.fitting import Fitted, Inputs, fit
from components.trainer.job import Job
from components.trainer.precision import precision


class Executor(base_executor.BaseExecutor):
    """Writes the model, its history and its events."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        model = artifact_utils.get_single_uri(output_dict["model"])
        logs = artifact_utils.get_single_uri(output_dict["model_run"])
        state = self._context.stateful_working_dir if self._context else None
        work = work_folder.for_training(state, model, input_dict, exec_properties)
        best = tuned_settings.read_best(input_dict.get("hyperparameters", []))
        job = _job(input_dict, exec_properties, best)
        offer = job_file.offer_path(*_place(model), self._run_id)
        with (
            work_folder.alone(work) as own,
            job_file.offered(job, own, offer),
            precision(job.settings.mixed_precision),
        ):
            # What is large and of no use to another attempt need not leave this machine.
            scratch = self._get_tmp_dir() if is_remote(own) else own
            with make_strategy(job.settings).scope():  # before anything runs on a device
                inputs = job.inputs()
                fitted = fit(inputs, logs, own, scratch)
            fitted.record.tuned = best
            _write(fitted, inputs, model, logs)
            fileio.rmtree(own)

    @property
    def _run_id(self) -> str:
        return (self._context.pipeline_run_id or "") if self._context else ""


def _place(output: str) -> tuple[str, str]:
    """Gives the pipeline's root and the node's id, from ROOT/NODE/KEY/EXECUTION."""
    node = os.path.dirname(os.path.dirname(output))
    return os.path.dirname(node), os.path.basename(node)


def _job(
    input_dict: dict[str, list[Artifact]],
    exec_properties: dict[str, Any],
    best: tuned_settings.Values,
) -> Job:
    def uri(key: str) -> str:
        return artifact_utils.get_single_uri(input_dict[key])

    model = Model.model_validate_json(exec_properties["network"])
    training = Training.model_validate_json(exec_properties["training"])
    head, frozen = tuned_settings.apply(best, model.head, training.frozen)
    return Job(
        model=model.model_copy(update={"head": head}).model_dump_json(),
        training=training.model_copy(update={"frozen": frozen}).model_dump_json(),
        classes=artifact_types.read(artifact_utils.get_single_instance(input_dict["class_list"])),
        transform_graph=uri("transform_graph"),
        train=artifact_utils.get_split_uri(input_dict["examples"], features.TRAIN),
        eval=artifact_utils.get_split_uri(input_dict["examples"], features.EVAL),
        bottlenecks=uri("bottlenecks") if "bottlenecks" in input_dict else None,
        baseline=[artifact.uri for artifact in input_dict.get("baseline", [])],
    )


def _write(fitted: Fitted, inputs: Inputs, model: str, logs: str) -> None:
    for name, text in (
        ("history.json", fitted.record.as_json()),
        ("history.csv", fitted.record.as_csv()),
    ):
        with fileio.open(os.path.join(logs, name), "w") as file:
            file.write(text)
    if fitted.record.best_epoch is None:
        raise TrainingError(
            "The loss on the eval split was no number in any epoch: the training diverged. "
            "Lower training.frozen.learning_rate or training.unfrozen.learning_rate."
        )
    warmup = smallest(first_pictures(inputs.train, 8 * WARMUP_PICTURES))
    serving = path_utils.serving_model_dir(model)
    export(fitted.network, inputs.pixels, inputs.model.backbone, inputs.classes, warmup, serving)
    some = tf.constant(first_pictures(inputs.eval, network_answers.PICTURES))
    scores = fitted.network.classifier(inputs.pixels(some), training=False)
    network_answers.write(model, inputs.classes, scores.numpy())
    # Keras writes to local paths only.
    fitted.network.classifier.save(os.path.join(model, "model.keras"))
