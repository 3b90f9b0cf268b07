"""Reads what the run left and writes the page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import tensorflow as tf
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components import artifact_types, features
from components.report.answers import read_answers
from components.report.page import render
from components.report.run import Run, shown_mistakes
from components.transform_graph import read_records


class Executor(base_executor.BaseExecutor):
    """Writes `report.html`."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        inputs = {name: artifacts[0] for name, artifacts in input_dict.items() if artifacts}
        classes = artifact_types.read(inputs["class_list"])
        answers = read_answers(_rows(inputs["predictions"]), classes)
        test = artifact_utils.get_split_uri([inputs["examples"]], features.TEST)
        history = artifact_types.path_in(inputs["model_run"], "history.json")
        run = Run(
            classes=classes,
            ingest=artifact_types.read(inputs["ingest_report"]),
            acceptance=artifact_types.read(inputs["acceptance"]),
            history=json.loads(fileio.open(history).read()),
            verdict=artifact_types.read(inputs["verdict"]),
            answers=answers,
            pictures=_pictures(test, {mistake.file for mistake in shown_mistakes(answers)}),
            configuration=json.loads(exec_properties["configuration"]),
            pushed_version=_pushed_version(inputs.get("pushed_model")),
            made=datetime.now(timezone.utc),
        )
        report = artifact_utils.get_single_instance(output_dict["report"])
        fileio.makedirs(report.uri)
        with fileio.open(artifact_types.path_in(report, artifact_types.REPORT_PAGE), "w") as file:
            file.write(render(run))


def _rows(predictions: Artifact) -> Iterator[str]:
    for path in sorted(fileio.glob(os.path.join(predictions.uri, "predictions-*.jsonl"))):
        with fileio.open(path) as file:
            yield from file


def _pictures(folder: str, files: set[str]) -> dict[str, bytes]:
    """Gives the encoded pictures of a split that have these file names."""
    found = {}
    for record in read_records(folder).as_numpy_iterator() if files else ():
        feature = tf.train.Example.FromString(record).features.feature
        name = feature[features.FILENAME].bytes_list.value[0].decode()
        if name in files:
            found[name] = feature[features.ENCODED].bytes_list.value[0]
    return found


def _pushed_version(pushed: Artifact | None) -> str | None:
    if pushed is None:
        return None
    return pushed.get_string_custom_property("pushed_version")
