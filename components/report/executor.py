"""Reads what the run left and writes the page, the model card and the metrics."""

from __future__ import annotations

import dataclasses
import json
import os
from typing import Any

import keras
from tfx.dsl.io import fileio
from tfx.types import Artifact

from components.artifacts import features, packed_json
from components.artifacts.report_files import DOUBTS
from components.artifacts.types import path_in
from components.model.transform_graph import Pixels
from components.report import documents, doubts, gather, picture_records
from components.report.heat_maps import GradCam
from components.report.page_data import Run
from components.settings.base import Section
from components.step.artifacts import Artifacts
from components.step.base import StepExecutor


class ReportSettings(Section):
    """The settings that the page shows: all of them."""

    configuration: dict[str, Any]
    """The run's whole configuration."""


class Executor(StepExecutor[ReportSettings]):
    """Writes the page and what lies beside it."""

    SETTINGS = ReportSettings

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: ReportSettings, facts: dict[str, str]
    ) -> None:
        found = {name: artifacts[0] for name, artifacts in inputs.items() if artifacts}
        run = gather.gather(
            found,
            configuration=settings.configuration,
            nodes=json.loads(facts["nodes"]),
            run_id=self.run_id,
        )
        shown = picture_records.encoded(found, run.shown_files, (features.TEST,))
        run = dataclasses.replace(run, pictures=shown)
        run = gather.with_doubts(run, found)
        run = _with_heat_maps(run, found)
        write(run, outputs.uri("report"))


def _with_heat_maps(run: Run, inputs: dict[str, Artifact]) -> Run:
    """Returns the run with its heat maps, or with the reason why it has none."""
    if "model" not in inputs or not run.looked_at:
        return run
    # Keras reads from local paths only.
    classifier = keras.models.load_model(path_in(inputs["model"], "model.keras"), compile=False)
    grad_cam = GradCam(classifier, Pixels(inputs["transform_graph"].uri))
    if grad_cam.too_coarse:
        return dataclasses.replace(run, no_heat_maps=grad_cam.too_coarse)
    files = [answer.file for answer in run.looked_at]
    found = grad_cam.heat(
        [run.pictures[file] for file in files], [answer.predicted for answer in run.looked_at]
    )
    return dataclasses.replace(run, heat_maps=dict(zip(files, found, strict=True)))


def write(run: Run, folder: str) -> None:
    """Writes everything about the run that people and programs read into a folder."""
    fileio.makedirs(folder)
    if run.doubts:
        packed_json.write_list(folder, DOUBTS, doubts.documents(run.doubts))
    for name, text in documents.of(run).items():
        with fileio.open(os.path.join(folder, name), "w") as file:
            file.write(text)
