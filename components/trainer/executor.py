"""Fits the classifier in two phases and exports the best one by the `eval` split."""

from __future__ import annotations

import os
from collections.abc import Iterator

from tfx.dsl.io import fileio
from tfx.types import Artifact

from components.artifacts import (
    features,
    record_counts,
    tfrecords,
    undecodable,
)
from components.artifacts import types as artifact_types
from components.files.paths import is_remote
from components.fit import tuned_settings
from components.model import precision
from components.settings.training import ResolvedPrecision
from components.step.artifacts import Artifacts
from components.step.base import SETTINGS, StepExecutor
from components.trainer import earlier_fit, results, work_folder
from components.trainer import job as job_file
from components.trainer.distribution import make_strategy
from components.trainer.job import Job
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
        decisive = {SETTINGS: settings.of_fit.model_dump_json(), **facts}
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
                    fitted = _fitted(training, work, logs, own, scratch)
            fitted.history.tuned, fitted.history.precision = best, chosen
            results.write(fitted, training, model, logs, _picture_settings(inputs), settings.served)
            earlier_fit.note(model, work)
            fileio.rmtree(own)


def _fitted(training: TrainingInputs, work: str, logs: str, own: str, scratch: str) -> Fitted:
    """Fits, or takes over what was fitted; several workers fit, since they wait for each other."""
    alone = training.training.distribution != "multi_worker"
    if alone and (earlier := earlier_fit.find(work)):
        return earlier_fit.take_over(earlier, training, logs)
    return fit(training, logs, own, scratch)


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
