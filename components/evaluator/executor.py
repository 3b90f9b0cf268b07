"""Measures candidate and baseline on the test split, and lets the gate judge."""

from __future__ import annotations

import collections
import dataclasses
import json
import os
from typing import Any

import tensorflow_model_analysis as tfma
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils
from tfx_bsl.tfxio import tf_example_record

from components import artifact_types, features, progress, saved_model
from components.artifact_types import SERVED_DIGEST, SERVED_VERSION
from components.evaluator import gate, measure, predictions
from components.settings.gate import Gate

_PREDICTIONS = "predictions"
_BATCH = 8  # pictures judged at a time; left to itself, tfx-bsl reads up to 1,000 at once


class Executor(base_beam_executor.BaseBeamExecutor):
    """Writes TFMA's evaluation, the predictions, the verdict and the standard blessing."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        candidate = artifact_utils.get_single_instance(input_dict["model"])
        served = artifact_utils.get_single_instance(input_dict["baseline_model"])
        evaluation = artifact_utils.get_single_uri(output_dict["evaluation"])
        rows_prefix = os.path.join(
            artifact_utils.get_single_uri(output_dict["predictions"]), _PREDICTIONS
        )
        models = {measure.CANDIDATE: saved_model.serving_dir(candidate.uri)}
        digest = saved_model.digest(models[measure.CANDIDATE])
        unchanged = served.get_string_custom_property(SERVED_DIGEST) == digest
        if served.get_string_custom_property(SERVED_VERSION) and not unchanged:
            models[measure.BASELINE] = saved_model.serving_dir(served.uri)
        progress.report(f"{' and '.join(models)} on the test split")
        test = artifact_utils.get_split_uri(input_dict["examples"], features.TEST)
        self._measure(models, test, evaluation, rows_prefix)

        classes = artifact_types.read(artifact_utils.get_single_instance(input_dict["class_list"]))
        metrics = {
            model: measure.read_metrics(evaluation, name, classes)
            for model, name in measure.names_in_tfma(models).items()
        }
        rows = list(
            gate.judge(
                Gate.model_validate_json(exec_properties["gate"]),
                metrics[measure.CANDIDATE],
                metrics.get(measure.BASELINE),
                _majority(rows_prefix),
            )
        )
        blessed = all(row.passed for row in rows)
        artifact_types.write(
            artifact_utils.get_single_instance(output_dict["verdict"]),
            {
                "verdict": "unchanged" if unchanged else "passed" if blessed else "refused",
                "gate": [dataclasses.asdict(row) for row in rows],
                "metrics": {model: of.as_dict() for model, of in metrics.items()},
                "served_version": served.get_string_custom_property(SERVED_VERSION) or None,
                "classes": classes,
            },
        )
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        _bless(blessing, candidate, served, blessed)

    def _measure(self, models: dict[str, str], test: str, evaluation: str, rows: str) -> None:
        names = measure.names_in_tfma(models)
        config = measure.eval_config(names.values())
        shared = [
            tfma.default_eval_shared_model(
                eval_saved_model_path=path, model_name=names[model], eval_config=config
            )
            for model, path in models.items()
        ]
        source = tf_example_record.TFExampleRecord(
            os.path.join(test, "*"), raw_record_column_name=tfma.ARROW_INPUT_COLUMN
        )
        arguments: dict[str, Any] = {"eval_shared_model": shared, "eval_config": config}
        evaluators = tfma.default_evaluators(**arguments)
        writers = tfma.default_writers(output_path=evaluation, **arguments)
        with self._make_beam_pipeline() as pipeline:
            _ = (
                pipeline
                | "Read" >> source.BeamSource(_BATCH)
                | "Evaluate"
                >> tfma.ExtractEvaluateAndWriteResults(
                    evaluators=[*evaluators, predictions.evaluator(list(models))],
                    writers=[*writers, predictions.writer(rows)],
                    **arguments,
                )
            )


def _majority(prefix: str) -> float:
    """Accuracy of always naming the most frequent class of the test pictures."""
    rows = (line for file in fileio.glob(f"{prefix}*.jsonl") for line in fileio.open(file))
    counts = collections.Counter(json.loads(row)["label"] for row in rows)
    return max(counts.values()) / sum(counts.values())


def _bless(blessing: Artifact, candidate: Artifact, served: Artifact, blessed: bool) -> None:
    """Writes what TFX's own Evaluator writes, so that any Pusher can read it."""
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    fileio.makedirs(blessing.uri)
    with fileio.open(os.path.join(blessing.uri, name), "w") as file:
        file.write("")
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    for kind, model in (("current", candidate), ("baseline", served)):
        blessing.set_string_custom_property(f"{kind}_model_uri", model.uri)
        blessing.set_int_custom_property(f"{kind}_model_id", model.id)
