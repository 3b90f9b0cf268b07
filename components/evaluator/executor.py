"""Runs candidate and baseline on the test split once, measures, and lets the gate judge."""

from __future__ import annotations

import os

from apache_beam import Pipeline
from tfx.components.evaluator import constants
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import (
    features,
    predictions,
    record_counts,
    saved_model,
    score_facts,
)
from components.artifacts import types as artifact_types
from components.artifacts.predictions import BASELINE, CANDIDATE, Predictions
from components.artifacts.types import COMPARED_WITH, NO_VERSION, SERVED_DIGEST, SERVED_VERSION
from components.evaluator import gate, golden, kept, loaded_model, measure, predict, verdict
from components.files import parcel
from components.settings.gate import Gate
from components.step import progress
from components.step.artifacts import Artifacts
from components.step.base import BeamStepExecutor

BLESS_REASON = "bless_reason"
"""Property of a ModelBlessing that a person gave in spite of the gate."""


class Executor(BeamStepExecutor[Gate]):
    """Writes the predictions, TFMA's evaluation, the verdict and the standard blessing."""

    SETTINGS = Gate

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: Gate, facts: dict[str, str]
    ) -> None:
        candidate, served = inputs.one("model"), inputs.one("baseline_model")
        test = inputs.split("examples", features.TEST)
        fileio.makedirs(outputs.uri("predictions"))
        to = self.shared(outputs.one("predictions"))
        answered = self._ask(candidate, served, test, to)
        pictures = record_counts.of(inputs.one("examples"), features.TEST)
        what = "predictions for the pictures of the split test"
        record_counts.check(what, len(answered.files), pictures)
        evaluation = outputs.uri("evaluation")
        slices = verdict.known_slices(settings, answered)
        progress.report("TFMA measures")
        # The predictions are here already, and TFMA's result is read as files.
        with Pipeline("FnApiRunner") if self.on_workers else self._make_beam_pipeline() as pipeline:
            measure.measure(pipeline, to, answered, slices, evaluation)
        metrics = {
            model: measure.read_metrics(evaluation, model, answered, slices)
            for model in answered.scores
        }
        measured = metrics[CANDIDATE].pictures
        record_counts.check("pictures that TFMA measured", measured, pictures)
        version = served.get_string_custom_property(SERVED_VERSION)
        unchanged = bool(version) and BASELINE not in _models(candidate, served)
        older = {} if unchanged else kept.ask(served, settings.reference, test)
        compared = verdict.served(answered), kept.best(older, answered, settings.reference)
        rows = list(gate.judge(settings, metrics[CANDIDATE], answered.majority, *compared))
        if answered.certain is not None:
            wanted = score_facts.read(candidate.uri)["certain"]["accuracy"]
            correct = answered.correct(CANDIDATE)
            rows.append(gate.certain(settings, wanted, answered.certain, correct))
        for examples in inputs.maybe("golden"):
            rows += _golden_rows(settings, examples, candidate, served, answered)
        judged = verdict.Verdict(
            settings, rows, metrics, answered, version, unchanged, kept.not_asked(older)
        )
        artifact_types.write(outputs.one("verdict"), judged.document())
        _bless(outputs.one("blessing"), candidate, served, judged)

    def _ask(self, candidate: Artifact, served: Artifact, test: str, to: str) -> Predictions:
        models = _models(candidate, served)
        progress.report(f"{' and '.join(models)} on the test split")
        version = served.get_string_custom_property(SERVED_VERSION)
        described = predict.describe(models, test, version, to)
        packed = parcel.pack(models, to) if self.on_workers else ""
        with self._make_beam_pipeline() as pipeline:
            predict.write(pipeline, models, described, test, to, packed)
        if packed:
            parcel.remove(packed)
        loaded_model.load.cache_clear()
        return predictions.read_from(to)


def _golden_rows(
    settings: Gate, examples: Artifact, candidate: Artifact, served: Artifact, answered: Predictions
) -> list[gate.Row]:
    pictures = artifact_utils.get_split_uri([examples], features.TEST)
    of_file = golden.labels(pictures, answered.classes[: answered.known])
    progress.report(f"{len(of_file)} pictures of the golden set")
    asked = {
        model: kept.answers_of(folder, pictures)
        for model, folder in _models(candidate, served).items()
    }
    if isinstance(asked[CANDIDATE], str):
        raise loaded_model.CannotPredict(asked[CANDIDATE])
    version = served.get_string_custom_property(SERVED_VERSION)
    return list(golden.judge(settings, of_file, asked, version))


def _models(candidate: Artifact, served: Artifact) -> dict[str, str]:
    """The folders of the models that predict: a baseline that is the candidate is left out."""
    models = {CANDIDATE: saved_model.serving_dir(candidate.uri)}
    known = served.get_string_custom_property(SERVED_DIGEST)
    if known and known != saved_model.digest(models[CANDIDATE]):
        models[BASELINE] = saved_model.serving_dir(served.uri)
    return models


def _bless(
    blessing: Artifact, candidate: Artifact, served: Artifact, judged: verdict.Verdict
) -> None:
    """Writes what TFX's own Evaluator writes, so that any Pusher can read it."""
    blessed = judged.blessed
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    fileio.makedirs(blessing.uri)
    with fileio.open(os.path.join(blessing.uri, name), "w") as file:
        file.write("")
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    if judged.overridden:
        blessing.set_string_custom_property(BLESS_REASON, judged.settings.bless)
    compared = served.get_string_custom_property(SERVED_VERSION) or NO_VERSION
    blessing.set_string_custom_property(COMPARED_WITH, compared)
    for kind, model in (("current", candidate), ("baseline", served)):
        blessing.set_string_custom_property(f"{kind}_model_uri", model.uri)
        blessing.set_int_custom_property(f"{kind}_model_id", model.id)
