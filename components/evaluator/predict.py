"""Runs the models on every test picture and writes the Predictions artifact."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import tensorflow as tf
from tfx.dsl.io import fileio

from components.artifacts import (
    beam_tfrecords,
    features,
    parquet,
    prediction_rows,
    tfrecords,
    undecodable,
)
from components.artifacts.examples import Example
from components.artifacts.predictions import BASELINE, CANDIDATE, MODELS
from components.evaluator import loaded_model
from components.files import parcel
from components.step import progress

_BATCH = 8  # encoded pictures held at a time; they may have millions of pixels
_DIGITS = 9  # what a float32 needs to come back as itself
_ROW_GROUP = 4 << 20  # bytes of rows: what is measured at a time


def describe(models: dict[str, str], test: str, version: str, folder: str) -> dict[str, Any]:
    """Runs each model on two pictures, writes `models.json`, and returns its content.

    Args:
      models: SavedModels' folders by model.
      test: folder of the test split.
      version: of the baseline, "" where none is asked.
      folder: the Predictions artifact's.

    Raises:
      CannotPredict: the candidate; a baseline that can't be asked is described by its fault.
    """
    some = list(tfrecords.read_records(test).take(2).as_numpy_iterator())
    found: dict[str, Any] = {CANDIDATE: _about(models[CANDIDATE], some), BASELINE: None}
    if BASELINE in models:
        try:
            found[BASELINE] = {"version": version, **_about(models[BASELINE], some)}
        except (loaded_model.CannotPredict, tf.errors.OpError) as error:
            fault = " ".join(str(error).split())[:400]
            found[BASELINE] = {"version": version, "fault": fault}
    fileio.makedirs(folder)
    with fileio.open(os.path.join(folder, MODELS), "w") as file:
        file.write(json.dumps(found, ensure_ascii=False))
    return found


def _about(directory: str, examples: list[bytes]) -> dict[str, Any]:
    return {"classes": loaded_model.load(directory).classes(examples)}


def write(
    pipeline: beam.Pipeline,
    models: dict[str, str],
    described: dict[str, Any],
    test: str,
    to: str,
    in_parcel: str = "",
) -> None:
    """Adds the steps that run the models on the split `test` and write the rows into `to`.

    Args:
      pipeline: Beam's.
      models: SavedModels' folders by model.
      described: what `describe` returned.
      test: folder of the test split.
      to: folder of the Predictions artifact.
      in_parcel: a parcel with the models by their names, for workers that can't read the folders.
    """
    classes = {
        model: described[model]["classes"]
        for model in models
        if described[model] and "classes" in described[model]
    }
    _ = (
        pipeline
        | "Pictures" >> beam_tfrecords.source(test)
        | "Batch" >> beam.BatchElements(min_batch_size=_BATCH, max_batch_size=_BATCH)
        | "Ask" >> beam.ParDo(_Ask({name: models[name] for name in classes}, classes, in_parcel))
        | "Write"
        >> beam.io.WriteToParquet(
            os.path.join(to, prediction_rows.ROWS),
            prediction_rows.SCHEMA,
            row_group_buffer_size=_ROW_GROUP,
            codec="snappy",
            file_name_suffix=parquet.SUFFIX,
        )
    )


class _Ask(beam.DoFn):
    def __init__(self, models: dict[str, str], classes: dict[str, list[str]], in_parcel: str):
        self._models = models
        self._parcel = in_parcel
        self._classes = classes
        self._done = 0

    def process(self, element: list[bytes]) -> Iterator[dict[str, Any]]:
        with undecodable.named(lambda: element):
            answers = {
                model: loaded_model.load(self._folder(model)).answers(element)
                for model in self._models
            }
        for index, example in enumerate(element):
            row = _facts(example)
            for model, found in answers.items():
                scores = [found[index].scores[name] for name in self._classes[model]]
                row[model] = [_kept(score) for score in scores]
            row |= _told(answers[CANDIDATE][index])
            yield prediction_rows.row(row)
        self._done += len(element)
        progress.report("test pictures", self._done)

    def _folder(self, model: str) -> str:
        if self._parcel:
            return os.path.join(parcel.unpacked(self._parcel), model)
        return self._models[model]


def _told(answer: loaded_model.Answer) -> dict[str, Any]:
    """Returns what the candidate tells of a prediction beside its scores."""
    told: dict[str, Any] = {}
    if answer.certain is not None:
        told["certain"] = answer.certain
    if answer.distance is not None:
        told["distance"] = _kept(answer.distance)
    return told


def _kept(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _facts(example: bytes) -> dict[str, Any]:
    picture = Example(example)
    return {
        "file": picture.text(features.FILENAME),
        "sha256": picture.text(features.SHA256),
        "label": picture.text(features.LABEL),
        "height": picture.number(features.HEIGHT),
        "width": picture.number(features.WIDTH),
        "columns": json.loads(picture.text(features.COLUMNS) or "{}"),
    }
