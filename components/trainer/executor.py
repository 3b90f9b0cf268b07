"""Fits the classifier in two phases and exports the best one by the `eval` split."""

from __future__ import annotations

import os
from collections.abc import Iterator

import tensorflow as tf
from tfx.dsl.io import fileio
from tfx.types import Artifact
from tfx.utils import path_utils

from components.artifacts import (
    export_record,
    features,
    network_answers,
    record_counts,
    score_facts,
    tfrecords,
    undecodable,
)
from components.artifacts import types as artifact_types
from components.errors import TrainingError
from components.files.paths import is_remote
from components.files.space import check_space
from components.fit import tuned_settings
from components.model import precision
from components.model.transform_graph import first_pictures
from components.settings.export import Served
from components.settings.training import ResolvedPrecision
from components.step.artifacts import Artifacts
from components.step.base import SETTINGS, StepExecutor
from components.trainer import export_gain, work_folder
from components.trainer import job as job_file
from components.trainer.distribution import make_strategy
from components.trainer.export import WARMUP_PICTURES, export, smallest
from components.trainer.job import Job
from components.trainer.scored_splits import fitted_scoring
from components.trainer.scoring import with_features
from components.trainer.served_network import ServedNetwork, averaged
from components.trainer.settings import TrainerSettings
from components.trainer.training_inputs import TrainingInputs
from components.trainer.training_loop import Fitted, fit
from serving.picture_settings import DEFAULT, PictureSettings


class Executor(StepExecutor[TrainerSettings]):
    """Writes the model, its history and its events."""

    SETTINGS = TrainerSettings

    def do(
        self,
        inputs: Artifacts,
        outputs: Artifacts,
        settings: TrainerSettings,
        facts: dict[str, str],
    ) -> None:
        model, logs = outputs.uri("model"), outputs.uri("model_run")
        state = self._context.stateful_working_dir if self._context else None
        decisive = {SETTINGS: settings.model_dump_json(), **facts}
        work = work_folder.for_training(state, model, inputs, decisive)
        best = tuned_settings.read_best(inputs.maybe("hyperparameters"))
        chosen = precision.chosen(settings.precision, facts)
        job = _job(inputs, settings, best, chosen)
        _check_counts(job)
        offer = job_file.offer_path(*_place(model), self.run_id)
        with (
            work_folder.alone(work) as own,
            job_file.offered(job, own, offer),
        ):
            # What is large and of no use to another attempt need not leave this machine.
            scratch = self._get_tmp_dir() if is_remote(own) else own
            with make_strategy(job.training).scope():  # before anything runs on a device
                training = job.inputs()
                with undecodable.named(lambda: _examples(training)):
                    fitted = fit(training, logs, own, scratch)
            fitted.history.tuned, fitted.history.precision = best, chosen
            _write(fitted, training, model, logs, _picture_settings(inputs), settings.served)
            fileio.rmtree(own)


def _place(output: str) -> tuple[str, str]:
    """Returns the pipeline's root and the node's id, from ROOT/NODE/KEY/EXECUTION."""
    node = os.path.dirname(os.path.dirname(output))
    return os.path.dirname(node), os.path.basename(node)


def _job(
    inputs: Artifacts,
    settings: TrainerSettings,
    best: tuned_settings.Values,
    chosen: ResolvedPrecision,
) -> Job:
    model, training = settings.model, settings.training
    head, frozen = tuned_settings.apply(best, model.head, training.frozen)
    return Job(
        model=model.model_copy(update={"head": head}),
        training=training.model_copy(update={"frozen": frozen, "precision": chosen}),
        classes=artifact_types.read(inputs.one("class_list")),
        transform_graph=inputs.uri("transform_graph"),
        train=inputs.split("examples", features.TRAIN),
        eval=inputs.split("examples", features.EVAL),
        bottlenecks=inputs.uri("bottlenecks") if "bottlenecks" in inputs else None,
        counts={
            split: record_counts.of(inputs.one("examples"), split)
            for split in (features.TRAIN, features.EVAL)
        },
        baseline=[artifact.uri for artifact in inputs.maybe("baseline")],
        former_names=_former_names(inputs.maybe("acceptance")),
    )


def _check_counts(job: Job) -> None:
    """Holds what is to be read against the ingest's numbers; elsewhere it is counted when read."""
    for split, pictures in ((features.TRAIN, job.train), (features.EVAL, job.eval)):
        needed = job.counts[split]
        if not is_remote(pictures):
            record_counts.check(f"pictures in the split {split}", tfrecords.count(pictures), needed)
        if job.bottlenecks and not is_remote(job.bottlenecks):
            there = tfrecords.count(os.path.join(job.bottlenecks, f"Split-{split}"))
            what = f"features for the pictures of the split {split}"
            record_counts.check(what, there, needed)


def _former_names(acceptance: list[Artifact]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in acceptance:
        found |= artifact_types.read(each).get("former_names", {})
    return found


def _examples(training: TrainingInputs) -> Iterator[bytes]:
    for split in (training.train, training.eval):
        yield from tfrecords.read_records(split).as_numpy_iterator()


def _picture_settings(inputs: Artifacts) -> PictureSettings:
    reports = [artifact_types.read(report) for report in inputs.maybe("ingest_report")]
    documents = [report["pictures"] for report in reports if "pictures" in report]
    return PictureSettings.of_json(documents[0]) if documents else DEFAULT


def _write(
    fitted: Fitted,
    inputs: TrainingInputs,
    model: str,
    logs: str,
    pictures: PictureSettings,
    served: Served,
) -> None:
    for name, text in (
        ("history.json", fitted.history.as_json()),
        ("history.csv", fitted.history.as_csv()),
    ):
        with fileio.open(os.path.join(logs, name), "w") as file:
            file.write(text)
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
    some = tf.constant(first_pictures(inputs.eval, network_answers.PICTURES))
    outputs = averaged(with_features(fitted.network.classifier), inputs.pixels(some), served)
    network_answers.write(model, inputs.classes, scoring(*outputs)["scores"].numpy())
    score_facts.write(model, facts)
    record = {"precision": served.precision, "average_flips": served.average_flips}
    if not served.plain:
        record |= export_gain.measured(
            form,
            ServedNetwork(
                fitted.network, served.model_copy(update={"precision": "float32"}), scoring
            ),
            ServedNetwork(fitted.network),
            inputs.pixels,
            first_pictures(inputs.eval, export_gain.PICTURES),
        )
    for place in (model, logs):  # for InfraValidator, and for the report
        export_record.write(place, record)
    # Keras writes to local paths only.
    fitted.network.classifier.save(os.path.join(model, "model.keras"))
