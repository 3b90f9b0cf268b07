"""Makes files for devices of the candidate, and keeps those that answer as the SavedModel does."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.artifacts import features, saved_model
from components.artifacts import types as artifact_types
from components.artifacts.examples import serialized
from components.artifacts.types import LABELS
from components.lite_export.check import answers, compare
from components.lite_export.convert import convert
from components.model.pixel_scaling import to_picture
from components.model.transform_graph import Pixels, first_pictures
from components.settings.export import Export
from components.step import progress
from serving.saved_model_session import SavedModelSession


@dataclasses.dataclass(frozen=True)
class _Asked:
    """Pictures [count, height, width, 3] uint8 RGB, and the SavedModel's scores for them."""

    pictures: np.ndarray
    scores: np.ndarray


class Executor(base_executor.BaseExecutor):
    """Writes `model-<kind>.tflite`, `labels.txt` and `lite.json`."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        settings = Export.model_validate_json(exec_properties["export"])
        backbone = exec_properties["backbone"]
        model = artifact_utils.get_single_uri(input_dict["model"])
        folder = artifact_utils.get_single_uri(output_dict["lite_model"])
        pixels = Pixels(artifact_utils.get_single_uri(input_dict["transform_graph"]))
        train, validation = (
            artifact_utils.get_split_uri(input_dict["examples"], split)
            for split in (features.TRAIN, features.EVAL)
        )
        calibration = _pictures(
            first_pictures(train, settings.calibration_pictures), pixels, backbone
        )
        asked = _ask(model, first_pictures(validation, settings.check_pictures), pixels, backbone)
        classifier = keras.models.load_model(os.path.join(model, "model.keras"), compile=False)
        classes = artifact_types.read(artifact_utils.get_single_instance(input_dict["class_list"]))
        fileio.makedirs(folder)
        _write(os.path.join(folder, LABELS), "".join(f"{name}\n" for name in classes).encode())
        rows = []
        for number, kind in enumerate(settings.tflite):
            progress.report(f"{kind} for devices", number, len(settings.tflite))
            file = convert(classifier, backbone, kind, calibration)
            rows.append(_kept(file, f"model-{kind}.tflite", folder, asked, settings))
        record = {"input": [1, *classifier.input_shape[1:]], "files": rows}
        artifact_types.write(artifact_utils.get_single_instance(output_dict["lite_model"]), record)


def _kept(file: bytes, name: str, folder: str, asked: _Asked, settings: Export) -> dict[str, Any]:
    """Writes a file if it answers as the SavedModel does; gives its row in the record."""
    comparison = compare(answers(file, asked.pictures), asked.scores)
    faults = comparison.faults(settings)
    if not faults:
        _write(os.path.join(folder, name), file)
    return {
        "file": name,
        "bytes": len(file),
        **dataclasses.asdict(comparison),
        "refused": " and ".join(faults),
    }


def _ask(model: str, encoded: list[bytes], pixels: Pixels, backbone: str) -> _Asked:
    """Asks the SavedModel, by the signature whose scores stand in the class list's order."""
    examples = [serialized({features.ENCODED: picture}) for picture in encoded]
    with SavedModelSession(saved_model.serving_dir(model)) as session:
        scores = [
            session.run("serve_examples", {"inputs": np.array([example], object)})["scores"]
            for example in examples
        ]
    return _Asked(_pictures(encoded, pixels, backbone), np.concatenate(scores))


def _pictures(encoded: list[bytes], pixels: Pixels, backbone: str) -> np.ndarray:
    """Gives [count, height, width, 3] uint8 RGB: decoded and fitted as the SavedModel does it."""
    found = [to_picture(pixels(tf.constant([picture])), backbone) for picture in encoded]
    return np.concatenate(found)


def _write(path: str, content: bytes) -> None:
    with fileio.open(path, "wb") as file:
        file.write(content)
