"""Converts the candidate for devices; keeps the files that predict as the SavedModel does."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tfx.dsl.io import fileio

from components.artifacts import features, saved_model, score_facts
from components.artifacts import types as artifact_types
from components.artifacts.examples import serialized
from components.artifacts.types import LABELS
from components.lite_export.check import answers, compare
from components.lite_export.convert import convert
from components.lite_export.metadata import with_metadata
from components.model.pixel_scaling import to_picture
from components.model.temperature import divide_logits
from components.model.transform_graph import Pixels, first_pictures
from components.settings.base import Section
from components.settings.export import Export
from components.settings.model import Backbone
from components.step import progress
from components.step.artifacts import Artifacts
from components.step.base import StepExecutor
from serving.names import shown
from serving.saved_model_session import SavedModelSession


class LiteSettings(Section):
    """The settings that decide the files for devices."""

    backbone: Backbone
    """Its pixel scaling goes into the files."""
    export: Export


@dataclasses.dataclass(frozen=True)
class _Asked:
    """Pictures [count, height, width, 3] uint8 RGB, and the SavedModel's scores for them."""

    pictures: np.ndarray
    scores: np.ndarray


class Executor(StepExecutor[LiteSettings]):
    """Writes `model-<kind>.tflite`, `labels.txt` and `lite.json`."""

    SETTINGS = LiteSettings

    def do(
        self, inputs: Artifacts, outputs: Artifacts, settings: LiteSettings, facts: dict[str, str]
    ) -> None:
        backbone, export = settings.backbone, settings.export
        model, folder = inputs.uri("model"), outputs.uri("lite_model")
        pixels = Pixels(inputs.uri("transform_graph"))
        train, validation = (
            inputs.split("examples", split) for split in (features.TRAIN, features.EVAL)
        )
        calibration = _pictures(
            first_pictures(train, export.calibration_pictures), pixels, backbone
        )
        asked = _ask(model, first_pictures(validation, export.check_pictures), pixels, backbone)
        classifier = keras.models.load_model(os.path.join(model, "model.keras"), compile=False)
        divide_logits(classifier, score_facts.read(model)["temperature"])
        classes = artifact_types.read(inputs.one("class_list"))
        fileio.makedirs(folder)
        labels = [shown(name) for name in classes]
        _write(os.path.join(folder, LABELS), "".join(f"{name}\n" for name in labels).encode())
        rows = []
        for number, kind in enumerate(export.tflite):
            progress.report(f"{kind} for devices", number, len(export.tflite))
            file = with_metadata(convert(classifier, backbone, kind, calibration), labels)
            rows.append(_kept(file, f"model-{kind}.tflite", folder, asked, export))
        record = {"input": [1, *classifier.input_shape[1:]], "files": rows}
        artifact_types.write(outputs.one("lite_model"), record)


def _kept(file: bytes, name: str, folder: str, asked: _Asked, export: Export) -> dict[str, Any]:
    """Writes a file if it predicts as the SavedModel does; returns its row in the record."""
    comparison = compare(answers(file, asked.pictures), asked.scores)
    faults = comparison.faults(export)
    if not faults:
        _write(os.path.join(folder, name), file)
    return {
        "file": name,
        "bytes": len(file),
        **dataclasses.asdict(comparison),
        "refused": " and ".join(faults),
    }


def _ask(model: str, encoded: list[bytes], pixels: Pixels, backbone: str) -> _Asked:
    """Runs the SavedModel, by the signature whose scores stand in the class list's order."""
    examples = [serialized({features.ENCODED: picture}) for picture in encoded]
    with SavedModelSession(saved_model.serving_dir(model)) as session:
        scores = [
            session.run("serve_examples", {"inputs": np.array([example], object)})["scores"]
            for example in examples
        ]
    return _Asked(_pictures(encoded, pixels, backbone), np.concatenate(scores))


def _pictures(encoded: list[bytes], pixels: Pixels, backbone: str) -> np.ndarray:
    """Returns [count, height, width, 3] uint8 RGB: decoded and fitted as the SavedModel does it."""
    found = [to_picture(pixels(tf.constant([picture])), backbone) for picture in encoded]
    return np.concatenate(found)


def _write(path: str, content: bytes) -> None:
    with fileio.open(path, "wb") as file:
        file.write(content)
